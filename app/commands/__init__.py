"""The subcommands of `opik-assist`, one module each; `app/cli.py` lists them."""

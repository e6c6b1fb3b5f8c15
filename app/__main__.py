"""`python -m app`: the command line of `app/cli.py`."""

from app.cli import cli

if __name__ == "__main__":
    cli()

"""OpikAssist: a trace assistant for self-hosted Opik."""

__version__ = "0.2.0"

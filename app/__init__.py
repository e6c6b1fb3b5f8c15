"""OpikAssist: a trace assistant for self-hosted Opik."""

__version__ = "0.1.0"

"""Time, tokens and cost."""

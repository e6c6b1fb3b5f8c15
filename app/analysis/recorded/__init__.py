"""What was recorded of a span, read once: the only part that knows providers and frameworks."""

"""Long runs under faults, each followed by an audit: `python -m soak`."""

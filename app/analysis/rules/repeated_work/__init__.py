"""Work done more than once: retries, loops, agents that call each other, duplicates."""

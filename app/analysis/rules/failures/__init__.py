"""What failed: errors, blocked and unfinished spans, and results and replies that are none."""

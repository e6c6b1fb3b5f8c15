"""Says every difference between what the tables hold, what they should, and what clients saw."""

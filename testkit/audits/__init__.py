"""Compares what clients saw with what the database holds."""

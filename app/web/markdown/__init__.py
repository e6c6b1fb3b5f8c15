"""Markdown of models and users made harmless before a browser renders it."""

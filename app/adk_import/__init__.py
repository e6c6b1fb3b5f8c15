"""Brings conversations of the replaced service, stored by Google's ADK, into our own tables."""

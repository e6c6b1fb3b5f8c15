"""Shared by tests, soak and bench: databases, processes, scripted models, audits."""

"""Our own tables: conversations, turns, events and feedback."""

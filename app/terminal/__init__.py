"""The assistant in a terminal: where answers come from, and how they are shown."""

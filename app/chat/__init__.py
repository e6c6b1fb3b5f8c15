"""The language model behind Opik's chat proxy: one reply for messages and tools."""

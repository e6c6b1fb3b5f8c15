"""The Opik backend's REST API, as far as a trace assistant reads it."""

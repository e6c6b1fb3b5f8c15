"""Pure functions over a trace and its spans: no I/O, inputs are never changed."""

"""Small instrumented programs, each with faults that can be switched on."""

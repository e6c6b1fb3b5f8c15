"""Small instrumented programs whose traces the demo shows; `python -m demo.programs.record`."""

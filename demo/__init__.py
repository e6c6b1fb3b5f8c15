"""OpikAssist shown at work: a stand-in Opik backend, recorded traces and an offline model."""

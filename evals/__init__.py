"""Does the analysis find what is wrong? Traces with a known fault, and healthy ones."""

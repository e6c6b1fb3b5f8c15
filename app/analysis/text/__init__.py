"""What the model reads of a trace: outline, views and comparisons within a token budget."""

"""One trace opened for a turn: loading it, its bodies, and the project around it."""

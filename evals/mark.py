"""How a program marks the span that is to be found."""

CULPRIT_TAG = "culprit"

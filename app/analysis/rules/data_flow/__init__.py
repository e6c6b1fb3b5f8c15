"""Values and results on their way from step to step: lost, replaced, unread, contradicted."""

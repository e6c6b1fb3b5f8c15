"""One user's talk about one trace: its turns, its log and its projections."""

"""Report: what a run did, for people."""

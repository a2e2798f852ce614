"""Report to people what a run did."""

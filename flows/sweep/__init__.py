"""A running sweep: its session, batches, shards, progress and dry run."""

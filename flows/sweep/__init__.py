"""A sweep under way: its session, its batches, its shards, its progress, and its dry run."""

"""What a process has while it runs: progress, shutdown, tracing, opened resources."""

"""What a process holds while it runs: progress, shutdown, tracing, opened resources."""

"""What a process uses while it runs: progress, shutdown, tracing, opened resources, worker processes."""

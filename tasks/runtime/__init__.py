"""The run time of a process: progress, shutdown, tracing, opened resources, worker processes."""

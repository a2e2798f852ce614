"""The index's state as Prometheus metrics."""

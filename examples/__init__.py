"""Examples: a small press on loopback, and the demo that sweeps it."""

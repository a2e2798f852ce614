"""Verify: the index against the lake, every digest made again, every fault named, and mended where it can be."""

"""Verify: compare the index with the lake, check every digest, name every fault, and repair what can be repaired."""

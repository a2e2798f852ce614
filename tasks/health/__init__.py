"""Judge whether a source is well, from the figures of the index."""

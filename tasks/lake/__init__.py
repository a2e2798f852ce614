"""The data plane: objects, keys, WARC segments, and the tables over them."""

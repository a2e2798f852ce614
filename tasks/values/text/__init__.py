"""One text by itself: its digest, its shape, its script. Pure."""

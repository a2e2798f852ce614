"""Texts: what one text is by itself: its identity, its shape, its script. Pure."""

"""Forget: take articles out of every place that may hold them, and keep them out."""

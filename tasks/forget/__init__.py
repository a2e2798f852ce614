"""Forget: remove articles from every place that may hold them, and keep them from coming back."""

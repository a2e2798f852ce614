"""Discover: feeds, sitemaps and listings into entries of the frontier."""

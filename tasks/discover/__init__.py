"""Discover: put the entries of feeds, sitemaps and listings into the frontier."""

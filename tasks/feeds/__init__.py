"""Parsers of the formats that announce articles, one module per format: bytes in, entries out. Pure."""

"""The formats that announce articles: one module a format, bytes in, entries out. Pure."""

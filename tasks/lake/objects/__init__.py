"""The object store: one port, and one module per kind of store."""

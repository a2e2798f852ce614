"""The object store: one port, and one module a kind of store."""

"""The control plane: what must be decided transactionally, in SQLite or PostgreSQL."""

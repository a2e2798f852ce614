"""Store: decisions from the outbox into the tables of the lake."""

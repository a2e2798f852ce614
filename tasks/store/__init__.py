"""Store: decisions out of the outbox into the tables of the lake."""

"""Store: publish decisions from the outbox to the tables of the lake."""

"""Replay: extract stored captures again with the current rules, and supersede the rows that differ."""

"""Presslake: the stages, the ports they stand on, and the values they exchange."""

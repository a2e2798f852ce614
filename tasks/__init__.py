"""Presslake: the stages, the ports they use, and the values they exchange."""

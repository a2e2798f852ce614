"""Export a part of the lake as files for other programs, with provenance."""

"""A small invented press of three outlets, served on loopback as real sites are."""

"""A small press of three outlets, invented from end to end, that answers on loopback as real ones do."""

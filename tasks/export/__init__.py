"""Export: a part of the lake as files that other programs read, with what says where it came from."""

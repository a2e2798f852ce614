"""Functions of a single text: digest, shape, script. Pure."""

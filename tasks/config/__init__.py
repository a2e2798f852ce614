"""Settings, the catalogue of sources, and the parameters of the flows."""

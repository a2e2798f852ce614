"""Units of work that are extracted by whatever runner: threads of this process, a Dask cluster, Ray."""

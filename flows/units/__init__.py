"""Units of work, extracted by threads of this process, a Dask cluster or Ray."""

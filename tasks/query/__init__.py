"""SQL over the lake: DuckDB in a sandbox, with the tables as views."""

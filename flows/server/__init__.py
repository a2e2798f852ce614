"""Prefect's server: a local one, its deployments and automations, and what a run does if it does not answer."""

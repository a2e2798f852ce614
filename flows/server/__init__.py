"""Prefect's server: the local one, the deployments it serves, its automations, and what happens when it is away."""

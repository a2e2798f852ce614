"""The port to the open web: guarded, bounded, polite. Shared by discover and fetch."""

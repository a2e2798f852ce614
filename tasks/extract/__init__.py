"""Extract: turn captures into pages, in processes that can be killed."""

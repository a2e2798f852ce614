"""Extract articles from captures, in processes that can be killed."""

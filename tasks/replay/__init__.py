"""Replay: stored captures extracted again with the rules of today; what differs takes the place of what is stored."""

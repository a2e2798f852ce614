"""Requests that obey robots.txt, each host's pace, and the rights that sites reserve."""

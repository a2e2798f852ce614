"""Requests that keep to robots.txt, to each host's pace, and to what sites reserve."""

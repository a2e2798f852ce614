"""Fetch: turn claimed URLs into captures, with every byte in a WARC segment."""

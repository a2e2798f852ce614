"""Trafilatura alone: reads page files, whose names are in the file of the first argument, and fetches nothing."""

from pathlib import Path

from answers import feeds_to_read, read_by_trafilatura, write_answers

if __name__ == "__main__":
    write_answers(read_by_trafilatura(name, Path(name).read_bytes()) for name in feeds_to_read())

"""Whether messages to Prefect's server were given up, so that the end of the process does not wait for them."""

import threading

_given_up = threading.Event()


def give_up() -> None:
    """Make the end of this process wait for nothing of Prefect."""
    _given_up.set()


def is_given_up() -> bool:
    """Whether messages were given up: Prefect's own threads would then keep the process alive."""
    return _given_up.is_set()

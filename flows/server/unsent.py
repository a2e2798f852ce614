"""Whether something that Prefect's server was to hear was given up, so that the end does not wait for it."""

import threading

_given_up = threading.Event()


def give_up() -> None:
    """Have the end of this process wait for nothing of Prefect's."""
    _given_up.set()


def is_given_up() -> bool:
    """Whether something was given up here: Prefect's own threads would not let the process end then."""
    return _given_up.is_set()

"""Whether messages to Prefect's server were dropped, so that the end of the process does not wait for them."""

import threading

_given_up = threading.Event()


def give_up() -> None:
    """Drop the messages: the end of this process then waits for no thread of Prefect's."""
    _given_up.set()


def is_given_up() -> bool:
    """Whether messages were dropped; Prefect's threads that send them would keep the process alive."""
    return _given_up.is_set()

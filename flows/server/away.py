"""Prefect's server away in the middle of a run: the run goes on, says so, and does not wait for it for ever.

Prefect's client asks again for a minute by itself. What it has not delivered at the end of the process it would try for
minutes more, item by item: here that is given up.
"""

import httpx

from flows.server.unsent import give_up

SEND_TIMEOUT_S = 5

AWAY = httpx.HTTPError
"""What Prefect's client raises where its server is away, slow or in trouble; nothing of ours lets one through."""


def send_what_is_left() -> None:
    """Send the log and the events that wait, before the server that wants them goes; give them up where it is away."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    for worker in (APILogWorker, EventsWorker):
        _sent, unsent = worker.drain_all(timeout=SEND_TIMEOUT_S)  # type: ignore[misc]
        if unsent:
            give_up()

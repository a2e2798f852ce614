"""If Prefect's server goes away in the middle of a run, the run goes on, reports it, and does not wait for ever.

Prefect's client itself retries for a minute. At the end of the process it would retry each undelivered item for minutes
more; here they are given up.
"""

import httpx

from flows.server.unsent import give_up

SEND_TIMEOUT_S = 5

AWAY = httpx.HTTPError
"""The errors of Prefect's client when its server is away, slow or failing; no code of ours raises them."""


def send_what_is_left() -> None:
    """Send the waiting log and events before their server stops; give them up if it is away."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    for worker in (APILogWorker, EventsWorker):
        _sent, unsent = worker.drain_all(timeout=SEND_TIMEOUT_S)  # type: ignore[misc]
        if unsent:
            give_up()

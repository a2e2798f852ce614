"""Let a run continue if Prefect's server stops answering: it reports that, and does not wait for ever.

Prefect's client retries for a minute. At the end of the process it would retry each undelivered item for minutes
more; here those items are dropped.
"""

import httpx

from flows.server.unsent import give_up

SEND_TIMEOUT_S = 5

AWAY = httpx.HTTPError
"""The error of Prefect's client if its server is unreachable, slow or failing; our own code never raises it."""


def send_what_is_left() -> None:
    """Send the queued log records and events before the server stops; drop them if it does not answer."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    for worker in (APILogWorker, EventsWorker):
        _sent, unsent = worker.drain_all(timeout=SEND_TIMEOUT_S)  # type: ignore[misc]
        if unsent:
            give_up()

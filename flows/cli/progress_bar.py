"""A progress bar of a sweep on standard error, from the counts of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tasks.runtime.progress import progress

REFRESH_S = 0.2


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show the sweep's progress during the block; nothing if standard error is not a terminal."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
    ended = Event()

    def follow() -> None:
        polling, fetching = bar.add_task("feeds polled", total=None), bar.add_task("articles fetched", total=None)
        extracting, storing = bar.add_task("pages extracted", total=None), bar.add_task("revisions stored", total=None)
        while not ended.wait(REFRESH_S):
            counts = progress.read()
            bar.update(polling, completed=counts.get("feeds", 0), total=counts.get("feeds_to_poll"))
            bar.update(fetching, completed=counts.get("fetched", 0), total=counts.get("claimed"))
            bar.update(extracting, completed=counts.get("extracted", 0), total=counts.get("to_extract"))
            bar.update(storing, completed=counts.get("stored", 0), total=None)

    with bar:
        thread = Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

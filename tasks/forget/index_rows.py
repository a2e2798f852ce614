"""Remove the other rows of the index that name a URL, a host or a feed of what is taken down."""

from tasks.errors import IndexUnavailable
from tasks.forget.targets import GONE
from tasks.forget.work import Work
from tasks.index import erasing

AFTER_VACUUM = "the index's file was in constant use: older bytes may remain in it until the next `presslake forget`"


def erase_index(work: Work) -> None:
    """Delete feeds, site files, paces, reports and alarms, and overwrite the bytes of deleted rows."""
    taken = work.taken
    with work.index.write() as tx:
        erasing.erase_securely(tx)
        erasing.erase_feeds(tx, taken.has_url, taken.has_source)
        erasing.erase_announcers(tx, taken.has_url)
        erasing.erase_hosts(tx, taken.has_host, taken.is_named_in)
        erasing.erase_alarms(tx, taken.is_named_in)
        erasing.erase_reports(tx, lambda value: None if (kept := taken.without(value)) is GONE else kept)
    work.on_step("removing remaining bytes from the index", 0, 0)
    try:
        is_done = erasing.vacuum(work.index)
    except IndexUnavailable:
        is_done = False
    if not is_done:
        work.notes.append(AFTER_VACUUM)

"""A store that dies at a use, for tests of what a kill leaves behind."""

from tasks.errors import LakeUnavailable
from tasks.lake.objects.stores import DirectoryStore


class DyingStore(DirectoryStore):
    """A directory whose n-th use fails, and every one after it, as if the machine had died there.

    A use is the beginning or the end of a PUT, or an opening of a table.
    """

    def __init__(self, path, uses):
        super().__init__(path)
        self.uses = uses

    def _use(self):
        self.uses -= 1
        if self.uses < 0:
            raise LakeUnavailable("the machine died")

    def put(self, key, body, **options):
        self._use()
        super().put(key, body, **options)
        self._use()

    def delta_uri(self, table):
        self._use()
        return super().delta_uri(table)

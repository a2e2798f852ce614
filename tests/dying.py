"""Stores that simulate kills and concurrent writers."""

from tasks.errors import LakeUnavailable
from tasks.lake.objects.stores import DirectoryStore


class DyingStore(DirectoryStore):
    """A directory whose n-th use fails, and every later one, as if the machine had died there.

    A use is the start or the end of a PUT, or opening a table.
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


class Meanwhile(DirectoryStore):
    """A directory that calls `action` once, after `reads` reads of files of `articles`."""

    def __init__(self, path, reads, action):
        super().__init__(path)
        self.left, self.action = reads, action

    def get(self, key):
        body = super().get(key)
        if key.startswith("articles/dt=") and self.action:
            self.left -= 1
            if self.left < 0:
                action, self.action = self.action, None
                action()
        return body

"""Find and open archives by name: paths, folders, globs, `s3://` addresses, lists of these."""

import fnmatch
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZipInfo

from tasks.backfill.raw_files import EntryFile, LocalFile, RawFile, StoredFile, archives_in, open_zip
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.lake.objects.stores import ObjectStore, S3Config, open_store
from tasks.runtime.places import is_folder, is_there, worded

ENDINGS = (".warc", ".warc.gz", ".wacz")
ZIP_MAGIC = b"PK\x03\x04"
MAX_LIST_SIZE = 50_000_000
S3 = "s3://"
_WILD = set("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One archive: its URI, its size in bytes, and the file inside the WACZ if it is in one."""

    uri: str
    size: int
    entry: str | None = None

    @property
    def name(self) -> str:
        """The URI for its records; it includes the file inside a WACZ."""
        return f"{self.uri}#{self.entry}" if self.entry else self.uri


def find_archives(paths: Iterable[str], settings: Settings) -> tuple[Archive, ...]:
    """Return the archives that these paths name, each once, in the order of their URIs; raises ConfigError if one names none."""
    found: dict[str, Archive] = {}
    for named in _listed(paths):
        several = list(_find_stored(named, settings) if named.startswith(S3) else _find_local(named))
        if not several:
            raise ConfigError(f"{named}: no such file, and no file that ends in {', '.join(ENDINGS)}")
        found |= {one.uri: one for one in several}
    return tuple(found[uri] for uri in sorted(found))


@contextmanager
def open_archive(archive: Archive, settings: Settings) -> Iterator[RawFile]:
    """Open an archive for reading; raises DamagedArchive, LakeUnavailable, ConfigError."""
    with _opened_file(archive.uri, settings) as raw:
        if archive.entry is None:
            yield raw
            return
        with open_zip(raw) as container:
            entry = EntryFile(container, container.getinfo(archive.entry))
            try:
                yield entry
            finally:
                entry.close()


def archives_inside(archive: Archive, settings: Settings) -> tuple[Archive, ...]:
    """Return the archives inside a WACZ, or the archive itself if it is not a WACZ; raises as `open_archive` does."""
    with _opened_file(archive.uri, settings) as raw:
        if raw.read_at(0, len(ZIP_MAGIC)) != ZIP_MAGIC:
            return (archive,)
        with open_zip(raw) as container:
            return tuple(_entry(archive, one) for one in archives_in(container))


def _entry(archive: Archive, entry: ZipInfo) -> Archive:
    return Archive(uri=archive.uri, size=entry.file_size, entry=entry.filename)


@contextmanager
def _opened_file(uri: str, settings: Settings) -> Iterator[LocalFile | StoredFile]:
    raw = _stored(uri, settings) if uri.startswith(S3) else LocalFile(Path(unquote(urlsplit(uri).path)))
    try:
        yield raw
    finally:
        raw.close()


def _listed(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths, with each list expanded."""
    for path in paths:
        if not path.startswith("@"):
            yield path
            continue
        try:
            file = Path(path[1:]).expanduser()
            if file.stat().st_size > MAX_LIST_SIZE:
                raise ConfigError(f"{file}: a list has at most {MAX_LIST_SIZE:,} bytes")
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ConfigError(f"{path[1:]}: the list cannot be read: {worded(error)}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path[1:]}: the list cannot be read: not UTF-8") from error
        yield from (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _find_local(named: str) -> Iterator[Archive]:
    path = Path(named.removeprefix("file://")).expanduser()
    if is_folder(path):
        files = [one for one in path.rglob("*") if one.name.lower().endswith(ENDINGS)]
    elif is_there(path):
        files = [path]
    else:
        files = list(_matching(path)) if _WILD & set(named) else []
    for file in files:
        if file.is_file():
            whole = file.resolve()
            yield Archive(uri=whole.as_uri(), size=whole.stat().st_size)


def _matching(path: Path) -> Iterator[Path]:
    """Yield the files that a pattern names: `**` matches any folders."""
    parts = path.absolute().parts
    wild = next(at for at, part in enumerate(parts) if _WILD & set(part))
    return Path(*parts[:wild]).glob(str(Path(*parts[wild:])))


def _find_stored(named: str, settings: Settings) -> Iterator[Archive]:
    bucket, _, key = named.removeprefix(S3).partition("/")
    plain = key[: next((at for at, one in enumerate(key) if one in _WILD), len(key))]
    is_wanted: Callable[[str], bool] = (
        (lambda one: fnmatch.fnmatchcase(one, key))
        if plain != key
        else (lambda one: one == key or (one.startswith(_folder(key)) and one.lower().endswith(ENDINGS)))
    )
    for one in _bucket(bucket, settings).list(plain):
        if is_wanted(one.key):
            yield Archive(uri=f"{S3}{bucket}/{one.key}", size=one.size)


def _folder(key: str) -> str:
    return f"{key.rstrip('/')}/" if key else ""


def _stored(uri: str, settings: Settings) -> StoredFile:
    bucket, _, key = uri.removeprefix(S3).partition("/")
    store = _bucket(bucket, settings)
    size = next((one.size for one in store.list(key) if one.key == key), 0)
    return StoredFile(store, key, size)


def _bucket(bucket: str, settings: Settings) -> ObjectStore:
    s3 = S3Config(endpoint_url=settings.s3_endpoint_url, region=settings.s3_region)
    return open_store(f"{S3}{bucket}", s3=s3, only_reads=True)

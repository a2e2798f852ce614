"""Insert sources into the text of a catalogue after its last one; everything a person wrote stays unchanged.

Pure, but for `write_catalogue`. The position comes from the parser's line marks, and only the new entries are dumped.
The result is parsed again and refused unless it is the old catalogue plus the new sources.
"""

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import yaml

from tasks.config.catalogue import Defaults, Source
from tasks.config.loading import catalogue_of
from tasks.config.marked_yaml import MarkedDocument, parse_marked, plain_scalar
from tasks.errors import CatalogueError
from tasks.runtime.places import worded

WIDTH = 120
HEADER = "sources:\n"
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCatalogue:
    """A catalogue before sources are added; it may have none yet."""

    defaults: Defaults = field(default_factory=Defaults)
    sources: tuple[Source, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The ids in use."""
        return frozenset(source.id for source in self.sources)


def entries_yaml(sources: Iterable[Source]) -> str:
    """Return sources as items of the YAML list `sources`, without values that equal the default."""
    plain = [source.model_dump(mode="json", exclude_defaults=True) for source in sources]
    named = [{name: value for name, value in one.items() if (name, value) != ("name", one["id"])} for one in plain]
    return yaml.dump(named, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH) if named else ""


def with_sources(text: str, path: Path, sources: Sequence[Source]) -> str:
    """Return a catalogue's text with sources added at the end of its list; raises CatalogueError if that is impossible.

    If the text is only comments, the list of sources is added after them.
    """
    if not sources:
        return text
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    text = text.removeprefix(mark)
    before = existing_in(text, path)
    spliced = _appended(text, sources) if _is_blank(text) else _spliced(parse_marked(text, path), sources)
    try:
        after = catalogue_of(parse_marked(spliced, path))
    except CatalogueError as error:
        raise _refused(path, sources) from error
    if after.defaults != before.defaults or after.sources != (*before.sources, *sources):
        raise _refused(path, sources)
    return mark + spliced


def write_catalogue(path: Path, sources: Sequence[Source]) -> None:
    """Add sources to a catalogue file, all or none, and create it if missing; raises CatalogueError."""
    path = path.resolve()  # replace the target of a symbolic link, not the link
    text = _read(path)
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        half.write_bytes(with_sources(text, path, sources).encode())
        if path.exists():
            half.chmod(path.stat().st_mode & 0o777)
        os.replace(half, path)  # noqa: PTH105 - atomic
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        half.unlink(missing_ok=True)


def printed(path: Path, sources: Sequence[Source]) -> str:
    """Return the YAML that would be added to the catalogue's end, with `sources:` first if it has no list yet."""
    text = _read(path).removeprefix(BYTE_ORDER_MARK)
    if not existing_in(text, path).sources:
        return HEADER + _entries(sources, 2, "\n")
    listed = _sources_node(parse_marked(text, path))
    if not isinstance(listed, yaml.SequenceNode) or listed.flow_style:
        return _entries(sources, 2, "\n")
    first = listed.value[0]
    dash = _dash_of(text.splitlines()[first.start_mark.line], first.start_mark.column)
    return _entries(sources, dash, "\n")


def read_existing(path: Path) -> ExistingCatalogue:
    """Return the known sources of a catalogue file; none if it does not exist yet. Raises CatalogueError."""
    return existing_in(_read(path).removeprefix(BYTE_ORDER_MARK), path)


def existing_in(text: str, path: Path) -> ExistingCatalogue:
    """Return the known sources of a catalogue's text; it may have none yet. Raises CatalogueError."""
    if _is_blank(text):
        return ExistingCatalogue()
    marked = parse_marked(text, path)
    if isinstance(marked.content, dict) and not marked.content.get("sources"):
        marked = replace(marked, content={**marked.content, "sources": [{"id": "none-yet"}]})
        return ExistingCatalogue(defaults=catalogue_of(marked).defaults)
    catalogue = catalogue_of(marked)
    return ExistingCatalogue(defaults=catalogue.defaults, sources=catalogue.sources)


def _read(path: Path) -> str:
    """Return a file's text with its own line endings; empty if there is no file."""
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except OSError as error:
        raise CatalogueError(f"{path}: {worded(error)}") from error
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: not UTF-8") from error


def _is_blank(text: str) -> bool:
    lines = text.splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") or line.strip() == "---" for line in lines)


def _appended(text: str, sources: Sequence[Source]) -> str:
    """Return the text followed by a list of sources."""
    ending = _line_ending(text)
    start = text if not text or text.endswith("\n") else text + ending
    return start + HEADER.replace("\n", ending) + _entries(sources, 2, ending)


def _spliced(marked: MarkedDocument, sources: Sequence[Source]) -> str:
    listed = _sources_node(marked)
    if listed is None:
        return _appended(marked.text, sources)
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        return _in_place_of_nothing(marked.text, listed, sources)
    if listed.flow_style:
        return _into_flow(marked.text, listed, sources)
    return _behind_the_last(marked.text, listed, sources)


def _behind_the_last(text: str, listed: yaml.SequenceNode, sources: Sequence[Source]) -> str:
    last = listed.value[-1]
    lines = text.splitlines(keepends=True)
    dash = _dash_of(lines[last.start_mark.line], last.start_mark.column)
    end = _end_of(lines, last, indent=dash)
    ending = _line_ending(text)
    head = "".join(lines[:end])
    if not head.endswith("\n"):
        head += ending
    gap = ending if _are_apart(lines, listed) else ""
    return head + "".join(gap + _entries([one], dash, ending) for one in sources) + "".join(lines[end:])


def _in_place_of_nothing(text: str, listed: yaml.Node, sources: Sequence[Source]) -> str:
    """Fill a list that is empty, `[]` or left out; keep what follows it on its line."""
    start, end = listed.start_mark.index, listed.end_mark.index
    ending = _line_ending(text)
    line_end = text.find("\n", end)
    rest = text[end:] if line_end < 0 else text[end:line_end].rstrip("\r")
    behind = "" if line_end < 0 else text[line_end + 1 :]
    line = (text[:start].rstrip(" ") + (f"  {rest.strip()}" if rest.strip() else "")).rstrip(" ")
    return line + ending + _entries(sources, 2, ending) + behind


def _entries(sources: Sequence[Source], indent: int, ending: str) -> str:
    return _indented(entries_yaml(sources), " " * indent).replace("\n", ending)


def _sources_node(marked: MarkedDocument) -> yaml.Node | None:
    if isinstance(marked.root, yaml.MappingNode):
        for key, value in marked.root.value:
            if key.value == "sources":
                node: yaml.Node = value
                return node
    return None


def _dash_of(line: str, column: int) -> int:
    """Return the column of the dash before an item's content."""
    return line[:column].rindex("-")


def _end_of(lines: Sequence[str], last: yaml.Node, *, indent: int) -> int:
    """Return the number of the line after the last source and its comments, before comments that belong to what follows.

    The parser's end mark of a block comes after trailing comments and empty lines. Comments indented deeper than the
    list belong to the source.
    """
    end = min(last.end_mark.line + (last.end_mark.column > 0), len(lines))
    while end > last.start_mark.line + 1 and _is_no_part(lines[end - 1], indent):
        end -= 1
    while end < len(lines) and lines[end].lstrip().startswith("#") and not _is_no_part(lines[end], indent):
        end += 1
    return end


def _is_no_part(line: str, indent: int) -> bool:
    bare = line.strip()
    return not bare or bare in {"...", "---"} or (bare.startswith("#") and len(line) - len(line.lstrip()) <= indent)


def _are_apart(lines: Sequence[str], listed: yaml.SequenceNode) -> bool:
    """Whether a person put empty lines between the sources."""
    starts = [node.start_mark.line for node in listed.value]
    return len(starts) > 1 and all(any(not line.strip() for line in lines[a:b]) for a, b in pairwise(starts))


def _into_flow(text: str, listed: yaml.SequenceNode, sources: Sequence[Source]) -> str:
    """Add to a list in brackets, after its last item; a trailing comma may be there already."""
    place = listed.value[-1].end_mark.index
    dumped = [
        yaml.safe_dump(one, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9).strip()
        for one in yaml.safe_load(entries_yaml(sources))
    ]
    return text[:place] + "".join(f", {one}" for one in dumped) + text[place:]


def _line_ending(text: str) -> str:
    first = text.partition("\n")[0]
    return "\r\n" if first.endswith("\r") else "\n"


def _indented(text: str, by: str) -> str:
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


def _refused(path: Path, sources: Sequence[Source]) -> CatalogueError:
    entries = _indented(entries_yaml(sources), "  ")
    return CatalogueError(f"{path}: found no place to insert new sources; add them yourself:\n{entries}")


class _Dumper(yaml.SafeDumper):
    """Writes lists indented under their key, without anchors, and quotes text that YAML 1.1 or 1.2 would read as another type."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    is_text = isinstance(plain_scalar(text), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_text else "'")


_Dumper.add_representer(str, _text)

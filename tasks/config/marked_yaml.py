"""Parse YAML into plain values and the line of each, for error messages. Reads files; otherwise pure.

It uses the core schema of YAML 1.2, so that `language: no` is text and not a Boolean. Tags are refused, aliases
bounded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tasks.errors import CatalogueError
from tasks.runtime.places import worded

_MAX_NODES = 1_000_000  # counted with aliases expanded: a few lines of YAML can expand to billions
_MAX_DEPTH = 16
_MAX_MESSAGE = 300
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


@dataclass(frozen=True, kw_only=True)
class MarkedDocument:
    """A YAML document: its text, its value, and the line of each part. A key without a value is left out.

    `mistakes` are duplicate keys, keys that are not text, and tags, each with its line.
    """

    path: Path
    text: str
    content: object
    mistakes: tuple[tuple[int, str], ...] = ()

    @cached_property
    def root(self) -> yaml.Node:
        """The document as nodes, which carry line numbers."""
        return compose(self.text, self.path)

    def line_at(self, where: tuple[int | str, ...]) -> int:
        """Return the line of the value at path `where`, or of the nearest value that encloses it."""
        return line_at(self.root, where)


def read_marked(path: Path, max_size: int) -> MarkedDocument:
    """Read a YAML file; raises CatalogueError if it is missing, unreadable or not YAML."""
    if _is_missing(path):
        raise CatalogueError(f"{path}: no such file; create it with `presslake init`")
    return parse_marked(read_text(path, max_size), path)


def _is_missing(path: Path) -> bool:
    """Whether nothing has this path. False if this user may not look: opening the file then reports why."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def parse_marked(text: str, path: Path) -> MarkedDocument:
    """Parse a document; raises CatalogueError if it is not YAML, or if its aliases expand too far."""
    try:
        return MarkedDocument(path=path, text=text, content=_streamed(text))
    except (_OddError, yaml.YAMLError):
        plain = _Plain(path)
        return MarkedDocument(
            path=path, text=text, content=plain.value(compose(text, path)), mistakes=tuple(plain.mistakes)
        )


def read_text(path: Path, max_size: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(max_size + 1)
    except OSError as error:
        raise CatalogueError(f"{path}: {worded(error)}") from error
    if len(content) > max_size:
        raise CatalogueError(f"{path}: larger than {max_size:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogueError(f"{path}:{line}: not UTF-8") from error


def compose(text: str, path: Path) -> yaml.Node:
    """Parse to nodes, which carry line numbers; uses libyaml if PyYAML has it, since it is ten times faster."""
    try:
        # libyaml's composer recurses in C: a file nested too deep would crash the process
        is_flat = _is_flat(yaml.parse(text, Loader=_LOADER))
        root: yaml.Node | None = yaml.compose(text, Loader=_LOADER) if is_flat else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        lines = text.splitlines()
        is_tab = line < len(lines) and lines[line].startswith("\t")
        problem = "contains a tab; indent YAML with spaces" if is_tab else error.problem or error.context or "not YAML"
        raise CatalogueError(f"{path}:{line + 1}: {folded(problem)}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CatalogueError(f"{path}: not YAML: {folded(str(error))}") from error
    if not is_flat:
        raise CatalogueError(f"{path}: nested more than {_MAX_DEPTH} deep")
    if root is None:
        raise CatalogueError(f"{path}: empty; expected `sources:`")
    return root


def _is_flat(events: Iterable[yaml.Event]) -> bool:
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            return False
    return True


class _OddError(Exception):
    """A document has something that needs its nodes: an alias, a tag, a duplicate key."""


def _streamed(text: str) -> object:
    """Return the value of a plain document without building nodes; raises _OddError for any other, and yaml.YAMLError.

    The nodes of 10,000 sources take 18 MB, and the catalogue's own objects, scattered among them, would keep that
    memory from being returned for a whole sweep.
    """
    stream = _Stream()
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > _MAX_NODES:
            raise _OddError
        stream.take(event)
    return stream.content()


class _Stream:
    """Builds plain values from events.

    `_open` are the collections that enclose the next value, a mapping with its key.
    """

    def __init__(self) -> None:
        self._documents: list[object] = []
        self._open: list[tuple[list[object] | dict[str, object], list[str]]] = [(self._documents, [])]

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.NodeEvent) and (event.anchor or getattr(event, "tag", None)):
            raise _OddError
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin({} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()

    def content(self) -> object:
        """Return the one document's value."""
        if len(self._documents) != 1:
            raise _OddError
        return self._documents[0]

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        around, key = self._open[-1]
        if isinstance(around, list) or key:
            self._put(_value_of(event.value, event.style))
        elif event.value in around:
            raise _OddError
        else:
            key.append(event.value)

    def _begin(self, value: list[object] | dict[str, object]) -> None:
        self._put(value)
        self._open.append((value, []))
        if len(self._open) > _MAX_DEPTH:
            raise _OddError

    def _end(self) -> None:
        ended, _ = self._open.pop()
        if isinstance(ended, dict):
            for key in [key for key, value in ended.items() if value is None]:
                del ended[key]

    def _put(self, value: object) -> None:
        around, key = self._open[-1]
        if isinstance(around, list):
            around.append(value)
        elif key:
            around[key.pop()] = value
        else:  # a key that is not text
            raise _OddError


class _Plain:
    """Builds plain values from nodes and counts them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self.mistakes: list[tuple[int, str]] = []

    def value(self, node: yaml.Node, depth: int = 0) -> object:
        self._count += 1
        if self._count > _MAX_NODES or depth > _MAX_DEPTH:
            raise CatalogueError(f"{self._path}:{_line(node)}: too large or too deep after expanding its aliases")
        if node.tag not in _PLAIN_TAGS:
            self.mistakes.append((_line(node), f"the tag {node.tag[:80]} is not supported here"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, depth + 1) for child in node.value]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, object]:
        lines: dict[str, int] = {}
        content: dict[str, object] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, _line(key_node)
            if not isinstance(key, str):
                self.mistakes.append((line, "a key should be a name"))
                continue
            if key in lines:
                self.mistakes.append((line, f"{folded(key)} is already defined on line {lines[key]}"))
                continue
            lines[key] = line
            value = self.value(value_node, depth + 1)
            if value is not None:
                content[key] = value
        return content


def _scalar(node: yaml.Node) -> object:
    return _value_of(str(node.value), node.style if isinstance(node, yaml.ScalarNode) else "'")


def _value_of(text: str, style: str | None) -> object:
    """Return the value of a scalar; a quoted or block scalar is always text."""
    return text if style else plain_scalar(text)  # None, or "" from libyaml


def plain_scalar(text: str) -> object:
    """Return the value of a scalar without quotes."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def line_at(node: yaml.Node, where: tuple[int | str, ...]) -> int:
    """Return the line of the node at path `where`, or of the nearest node that encloses it."""
    line = _line(node)
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = _line(found[0]), found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = _line(node)
        else:
            break
    return line


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def folded(text: str) -> str:
    return " ".join(text.split())[:_MAX_MESSAGE]

"""Extract the text of a page's article, without its title and without furniture.

Pure. The steps: prune by structure, extract in fast mode, check whether that found enough of the paragraphs, and fall
back if not.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from lxml.html import HtmlElement
from trafilatura.utils import RE_FILTER

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.extract.blocks import Block, blocks_of
from tasks.extract.container import (
    LocatedText,
    Place,
    common_ancestor,
    locate,
    locate_article,
    main_element_of,
    merge,
    split_into_blocks,
)
from tasks.extract.fallbacks import FAST, block_text, first_sufficient, plain_text
from tasks.extract.furniture import FURNITURE, Mass, mass_of
from tasks.extract.head import MetadataWords, drop_head
from tasks.extract.jsonld import ARTICLE_TYPES
from tasks.extract.left_out import restore_omitted
from tasks.extract.lengths import size_of, solid_size
from tasks.extract.markup import markdown_of
from tasks.extract.metadata import Metadata
from tasks.extract.notices import hides_story, lacks_title_words
from tasks.extract.others import cut_other_articles
from tasks.extract.outline import find_title
from tasks.extract.prune import RULES, prune
from tasks.extract.quality import Placement, length_of, quality_of
from tasks.extract.repeats import without_repeats
from tasks.extract.selectors import select_elements
from tasks.extract.tail import Holders, cut_tail
from tasks.extract.tree import INVISIBLE, clean, has_words, is_one_of, remove, words_of
from tasks.extract.unseen import alternative_text, data_text

_MIN_SHARE_OF_PARAGRAPHS = 0.5
_MAX_SHARE_OF_JSONLD = 0.7
_MIN_AGREEMENT = 0.5
_WORDLESS = (
    "img", "picture", "source", "video", "audio", "track", "input", "canvas", "map", "link", "meta",
)  # fmt: skip
"""Elements without text, of which a page has hundreds; removed, since extractors visit each of them many times."""
_MAX_DOUBTED, _DOUBTED = 300, 0.5  # characters of a text without a word of its title; its greatest quality
_FOUND = (FAST, "paragraphs")
"""Paths whose lines are located on the page; the others are guesses."""
_MIN_MENU = 3  # links
_MIN_UNSEEN = 3  # times the visible characters
_MAX_CELL_WORD = 30  # characters
_UNSEEN = "\u2060"  # word joiner
# characters of a line's beginning that are searched for in the JSON-LD body; lines
_PROBE_LENGTH, _MAX_PROBES = 20, 200
_MAX_LOOKED_THROUGH = 100_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """A rule, and how many characters it removed from a page."""

    rule: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """An article's text (paragraphs separated by one newline), the path that found it, and its quality (0 to 1).

    `taken` has the characters that each rule removed. `markdown` is the text with its markup, if requested.
    """

    text: str
    path: str
    quality: float
    taken: tuple[RuleCount, ...] = ()
    markdown: str | None = None


def extract_text(
    tree: HtmlElement,
    metadata: Metadata,
    *,
    options: ExtractOptions = NO_OPTIONS,
    has_markdown: bool = False,
) -> Extraction:
    """Return the text of the page's article; empty if there is none.

    The tree is consumed. `path` is `fast`, `readability` or `paragraphs`, depending on the method used; `jsonld` or
    `unseen` if the page shows less or nothing of the text; `selected` if the source's own selector found it.
    """
    hidden = list(tree.iter(*INVISIBLE))
    remove(hidden)
    _open_layout_tables(tree)
    _keep_cells(tree)
    body = tree.find("body")
    mass = mass_of(body) if body is not None else Mass()
    chosen = select_elements(tree, filter(None, (options.text,)))
    taken: dict[str, int] = {}
    if not chosen and options.is_pruned and "LiveBlogPosting" not in metadata.types:
        titles = [words_of(title) for title in metadata.titles]
        taken["other_articles"] = cut_other_articles(_heading_of(tree, metadata), titles=titles)
    _prune(tree, metadata, chosen, options=options, taken=taken, mass=None if taken.get("other_articles") else mass)
    remove(tree.findall("head"))  # first, since many of the elements below are in it
    remove(list(tree.iter(*_WORDLESS)))
    said, blocks = MetadataWords.by(metadata), blocks_of(tree)
    if text := tidy("\n".join(map(block_text, chosen)), said):
        found = Extraction(text=text, path="selected", quality=1.0, taken=_taken(taken))
        return replace(found, markdown=markdown_of(text, blocks)) if has_markdown else found
    remove(list(tree.iter("hr")))  # not earlier, since it separates lines
    candidate = _find_text(tree, metadata, said, blocks, hidden)
    taken["tail"] = candidate.cut
    # what was cut off as another article does not lower this one's quality
    page = mass.prose - taken.get("other_articles", 0)
    signs = candidate.signs(of_page=min(1.0, solid_size(candidate.text) / page) if page > 0 else 1.0)
    quality = quality_of(candidate.text, tree, path=candidate.path, mass=candidate.mass, signs=signs)
    if len(candidate.text) <= _MAX_DOUBTED and lacks_title_words(candidate.text, metadata):
        quality = min(quality, _DOUBTED)
    found = Extraction(text=candidate.text, path=candidate.path, quality=quality, taken=_taken(taken))
    return replace(found, markdown=markdown_of(candidate.text, blocks)) if has_markdown else found


def _taken(sizes: Mapping[str, int]) -> tuple[RuleCount, ...]:
    return tuple(RuleCount(rule=rule, size=size) for rule, size in sizes.items() if size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A candidate text: the path that found it, the mass of its article, its place, and what was cut from its end."""

    text: str
    path: str
    mass: int
    found: LocatedText | None = None
    cut: int = 0

    def signs(self, *, of_page: float) -> Placement:
        if self.found is None or not self.found.mass:
            return Placement()
        lines = self.found.lines
        return Placement(
            together=self.found.holders.most_common(1)[0][1] / self.found.mass,
            found_again=sum(line.at is not None for line in lines) / len(lines),
            of_page=of_page,
        )


def _find_text(
    tree: HtmlElement, metadata: Metadata, said: MetadataWords, blocks: Sequence[Block], hidden: Sequence[HtmlElement]
) -> _Candidate:
    """Return the visible text, or that of the JSON-LD if it is longer and agrees, or a hidden one."""
    heading = _heading_of(tree, metadata)
    measured: list[tuple[Place, LocatedText]] = []

    def measure(text: str) -> tuple[HtmlElement | None, float]:
        found = locate(text.split("\n"), blocks)
        measured.append((place := locate_article(found, heading), found))
        return place.scope, _MIN_SHARE_OF_PARAGRAPHS * place.mass

    known = frozenset(block.text for block in blocks)
    text, path = first_sufficient(tree, lambda text: tidy(split_into_blocks(text, blocks), said, known=known), measure)
    place, found = measured[-1]
    if path == "readability":
        text = "\n".join(merge(found.lines, locate(text.split("\n"), blocks)))
    cut = 0
    if path in _FOUND and text:
        found = found if path == FAST else locate(text.split("\n"), blocks)
        main = main_element_of(found)
        container = place.container if path == FAST else None
        holders = Holders(main=main, container=container, scope=common_ancestor(main, heading))
        filled = without_repeats(restore_omitted(found))
        ending = cut_tail(filled, blocks, metadata, holders)
        lines: Sequence[str] = [line.text for line in ending.lines]
        if ending.lines[:1] != (*filled[:1],):  # the line that is first now may repeat the title
            lines = drop_head(lines, said)
        text, cut = "\n".join(lines), ending.removed
    is_bare = not text or is_one_of(text, said.titles)
    whole = metadata.article_body or ""
    if len(text) < _MAX_SHARE_OF_JSONLD * len(whole):
        body = tidy(plain_text(whole), said)
        is_its = is_bare or _agrees(text, body) or hides_story(text, body, metadata)
        if is_its and len(text) < _MAX_SHARE_OF_JSONLD * len(body):
            return _Candidate(text=body, path="jsonld", mass=place.mass)
    is_short = len(text) <= _MAX_DOUBTED and size_of(text) <= _MAX_DOUBTED
    if (is_bare or is_short) and (body := _unseen(text, hidden, said, is_bare=is_bare)):
        return _Candidate(text=body, path="unseen", mass=place.mass)
    return _Candidate(text=text, path=path, mass=place.mass, found=found if text else None, cut=cut)


def _unseen(text: str, hidden: Sequence[HtmlElement], said: MetadataWords, *, is_bare: bool) -> str:
    """Return the hidden story, if the page shows less than a third of it; empty if there is none.

    If the page shows a beginning, the rest in its scripts is not used, since the publisher does not show it.
    """
    least = 0 if is_bare else _MIN_UNSEEN * len(text)
    if len(body := tidy(alternative_text(hidden), said)) > least:
        return body
    if len(body := tidy(data_text(hidden, said.titles), said)) > least and (is_bare or not _begins(text, body)):
        return body
    return ""


def _begins(text: str, body: str) -> bool:
    """Whether most of a text's longer lines are in the body; False if it has none."""
    return any(len(line) >= _PROBE_LENGTH for line in text.split("\n")) and _agrees(text, body)


def _heading_of(tree: HtmlElement, metadata: Metadata) -> HtmlElement | None:
    body = tree.find("body")
    return find_title(body, words_of(metadata.title or "")) if body is not None else None


def tidy(text: str, said: MetadataWords, *, known: AbstractSet[str] = frozenset()) -> str:
    """Return the lines of a text, cleaned, without lines of its head that repeat the page's metadata.

    The `known` lines are already clean.
    """
    lines = [line for one in text.split("\n") if has_words(line := one if one in known else clean(one))]
    return "\n".join(drop_head(lines, said))


def _prune(
    tree: HtmlElement,
    metadata: Metadata,
    chosen: Sequence[HtmlElement],
    *,
    options: ExtractOptions,
    taken: dict[str, int],
    mass: Mass | None,
) -> None:
    """Prune by the options, sparing elements to keep with their content, the `chosen` ones, and all ancestors."""
    if not options.is_pruned:
        return
    whole = select_elements(tree, options.keep)
    inner = [part for one in whole for part in one.iter()]
    holders = [above for one in (*whole, *chosen) for above in one.iterancestors()]
    for one in (*inner, *holders):
        _make_plain(one)
    prune(
        tree,
        title=metadata.title,
        ledes=metadata.ledes,
        is_news=_is_news(metadata),
        rules=tuple(rule for rule in RULES if rule.name not in options.prune_without),
        kept={*chosen, *holders, *inner},
        taken=taken,
        mass=mass,
    )


def _make_plain(element: HtmlElement) -> None:
    """Remove what extractors judge an element by: its class and id, and a tag that means furniture."""
    for name in ("class", "id", "role", "itemprop", "style"):
        element.attrib.pop(name, None)
    if element.tag in FURNITURE:
        element.tag = "p" if element.tag == "figcaption" else "div"


def _is_news(metadata: Metadata) -> bool:
    return metadata.og_type == "article" or bool(metadata.types & ARTICLE_TYPES)


def _open_layout_tables(tree: HtmlElement) -> None:
    """Turn tables that hold the page's heading or other tables into blocks, and drop their cells of links only.

    Other tables belong to the story.
    """
    tables = [
        one
        for one in tree.iter("table")
        if next(one.iter("h1"), None) is not None or next(one.iterdescendants("table"), None) is not None
    ]
    cells = [cell for one in tables for cell in one.iterfind(".//td") if next(cell.iterancestors("table"), None) is one]
    remove([cell for cell in cells if _is_menu(cell)])
    for one in tables:
        for part in [one, *(row for row in one.iter("tbody", "tr", "td", "th"))]:
            if next(part.iterancestors("table"), one) is one:
                part.tag = "div"


def _keep_cells(tree: HtmlElement) -> None:
    """Append an invisible character to single-word cells.

    Extractors would take `Print` and `Share` there for controls, and a row without its first cell would change its
    meaning. Cleaning the lines removes the character.
    """
    for cell in tree.iter("td", "th"):
        text = cell.text
        if text and len(text) <= _MAX_CELL_WORD and RE_FILTER.match(text.strip()):
            cell.text = f"{text.strip()}{_UNSEEN}"


def _is_menu(cell: HtmlElement) -> bool:
    links = list(cell.iter("a"))
    return len(links) >= _MIN_MENU and length_of(cell) == sum(map(length_of, links))


def _agrees(text: str, body: str) -> bool:
    """Whether most lines of a text are in the JSON-LD body, compared by their beginnings.

    True if no line is long enough to compare; False if the body repeats itself.
    """
    whole = "".join(words_of(body))
    if _repeats_itself(whole[:_MAX_LOOKED_THROUGH]):
        return False
    probes = ["".join(words_of(line))[:_PROBE_LENGTH] for line in text.split("\n")[:_MAX_PROBES]]
    probes = [probe for probe in probes if len(probe) == _PROBE_LENGTH]
    return sum(probe in whole for probe in probes) >= _MIN_AGREEMENT * len(probes)


def _repeats_itself(text: str) -> bool:
    """Whether a quarter of a text is repeated: some publishers join all versions of a body."""
    pieces = [text[at : at + _PROBE_LENGTH] for at in range(len(text) - _PROBE_LENGTH)]
    return len(set(pieces)) < 0.75 * len(pieces)

"""Render stories as HTML, one layout per outlet, with headings, pictures, teasers and page furniture. Pure."""

import json
from collections.abc import Sequence
from html import escape
from itertools import islice
from pathlib import Path
from string import Template

from examples.newsroom.press import Outlet, Story

TEMPLATES = Path(__file__).with_name("templates")
LABELS = {
    "en": {
        "more": "More For You",
        "read_also": "Read also",
        "most_read": "Most read",
        "share": "Share",
        "print": "Print",
    },
    "fr": {
        "more": "Sur le même sujet",
        "read_also": "À lire aussi",
        "most_read": "Les plus lus",
        "share": "Partager",
        "print": "Imprimer",
    },
    "es": {
        "more": "Te puede interesar",
        "read_also": "Lea también",
        "most_read": "Más leídas",
        "share": "Compartir",
        "print": "Imprimir",
    },
    "de": {
        "more": "Das könnte Sie auch interessieren",
        "read_also": "Lesen Sie auch",
        "most_read": "Meistgelesen",
        "share": "Teilen",
        "print": "Drucken",
    },
}
TEASERS = 4
_PICTURES = {
    "courier": '<figure class="wp-block-image"><img src="/media/photo.svg" alt=""><figcaption>{}</figcaption></figure>',
    "meridian": '<div class="picture"><img src="/media/photo.svg" alt=""><span class="picture__caption">{}</span></div>',
    "talblick": '<p><img src="/media/photo.svg" alt=""><small class="image-caption">{}</small></p>',
}


def story_page(story: Story, outlet: Outlet, *, base_url: str, edition: int) -> str:
    """Return a story's page. With the edition, teasers change on the courier and the meridian, but not on talblick."""
    others = _others(story, outlet, first=0 if outlet.id == "talblick" else 5 * edition)
    return _fill(
        outlet.id,
        story,
        outlet,
        base_url=base_url,
        body=_body(story, outlet, others),
        teasers=_TEASERS[outlet.id](others, story.language),
        most_read=_linked_list(others[::-1]),
        amp_link=f'<link rel="amphtml" href="{amp_path(story)}"/>' if "amp" in story.quirks else "",
    )


def amp_page(story: Story, outlet: Outlet, *, base_url: str) -> str:
    """Return the story's AMP twin, which has no teasers."""
    return _fill("amp", story, outlet, base_url=base_url, body="\n".join(_paragraphs(story)))


def amp_path(story: Story) -> str:
    """Return the path of the story's AMP twin."""
    return f"/amp{story.path}"


def listing_page(outlet: Outlet) -> str:
    """Return the outlet's front page, which lists every story with its beginning."""
    items = (
        f'<article><h2><a href="{story.path}">{escape(story.title)}</a></h2><p>{escape(story.beginning)}</p></article>'
        for story in outlet.stories
    )
    return _template("listing").substitute(outlet=escape(outlet.name), language=outlet.language, items="\n".join(items))


def _others(story: Story, outlet: Outlet, *, first: int) -> list[Story]:
    """Choose four other stories, preferably in the same language."""
    same = [one for one in outlet.stories if one.path != story.path]
    same.sort(key=lambda one: one.language != story.language)
    start = (first + sum(story.path.encode())) % len(same)
    return list(islice((same * 2), start, start + TEASERS))


def _fill(name: str, story: Story, outlet: Outlet, *, base_url: str, **parts: str) -> str:
    labels = LABELS[story.language]
    words = {
        "language": story.language,
        "section": story.section,
        "title": story.title,
        "author": story.author,
        "lede": story.lede,
        "tags": ", ".join(story.tags),
        "outlet": outlet.name,
        "url": base_url + story.path,
        "image": f"{base_url}/media/photo.svg",
        "published": story.published_at.isoformat(),
        "modified": story.modified_at.isoformat(),
        "shown_date": f"{story.published_at:%d.%m.%Y %H:%M}",
        "label_share": labels["share"],
        "label_print": labels["print"],
        "label_most_read": labels["most_read"],
    }
    return _template(name).substitute(
        {key: escape(value) for key, value in words.items()},
        jsonld=_jsonld(story, outlet, base_url=base_url),
        **parts,
    )


def _template(name: str) -> Template:
    return Template((TEMPLATES / f"{name}.html").read_text(encoding="utf-8"))


def _jsonld(story: Story, outlet: Outlet, *, base_url: str) -> str:
    article = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": base_url + story.path,
        "headline": story.title,
        "description": story.lede,
        "datePublished": story.published_at.isoformat(),
        "dateModified": story.modified_at.isoformat(),
        "author": {"@type": "Person", "name": story.author},
        "publisher": {"@type": "NewsMediaOrganization", "name": outlet.name, "url": f"{base_url}/"},
        "articleSection": story.section,
        "keywords": list(story.tags),
        "inLanguage": story.language,
        "image": f"{base_url}/media/photo.svg",
    }
    return json.dumps(article, ensure_ascii=False).replace("</", "<\\/")


def _paragraphs(story: Story) -> list[str]:
    return [f"    <p>{escape(one, quote=False)}</p>" for one in story.paragraphs]


def _body(story: Story, outlet: Outlet, others: Sequence[Story]) -> str:
    """Return the paragraphs as HTML, with picture and caption after the first, and the outlet's inserts between."""
    lines = _paragraphs(story)
    if story.photo:
        lines.insert(1, f"    {_PICTURES[outlet.id].format(escape(story.photo))}")
    if "headline_twice" in story.quirks:
        lines.insert(0, f"    <p><strong>{escape(story.title)}</strong></p>")
    if outlet.id == "meridian":
        link = f'<a href="{others[0].path}">{escape(others[0].title)}</a>'
        lines.insert(-1, f'    <p class="story__link">{LABELS[story.language]["read_also"]}: {link}</p>')
    return "\n".join(lines)


def _cards(others: Sequence[Story], language: str) -> str:
    cards = (
        f'  <article class="card"><a href="{one.path}"><img src="/media/photo.svg" alt=""></a>'
        f'<h3><a href="{one.path}">{escape(one.title)}</a></h3><p>{escape(one.beginning)}</p></article>'
        for one in others
    )
    return "\n".join(('<section class="more-for-you">', f"  <h2>{LABELS[language]['more']}</h2>", *cards, "</section>"))


def _teaser_blocks(others: Sequence[Story], language: str) -> str:
    blocks = (
        f'  <div class="teaser"><h4><a href="{one.path}">{escape(one.title)}</a></h4>'
        f"<p>{escape(one.beginning)}</p></div>"
        for one in others
    )
    return "\n".join((f'<div class="more"><h3>{LABELS[language]["more"]}</h3>', *blocks, "</div>"))


def _linked_section(others: Sequence[Story], language: str) -> str:
    return f"<section>\n<h2>{LABELS[language]['more']}</h2>\n{_linked_list(others)}\n</section>"


def _linked_list(others: Sequence[Story]) -> str:
    return "<ul>" + "".join(f'<li><a href="{one.path}">{escape(one.title)}</a></li>' for one in others) + "</ul>"


_TEASERS = {"courier": _cards, "meridian": _teaser_blocks, "talblick": _linked_section}

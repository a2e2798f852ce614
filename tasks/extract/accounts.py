"""Find lines that say how to follow or contact a page's publisher and authors: social accounts, mail addresses.

Pure.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from lxml.html import HtmlElement

_SERVICES = frozenset(
    """
    twitter.com x.com facebook.com fb.com instagram.com threads.net threads.com youtube.com tiktok.com linkedin.com
    bsky.app t.me telegram.me whatsapp.com wa.me pinterest.com reddit.com snapchat.com flipboard.com mastodon.social
    vk.com ok.ru dzen.ru weibo.com line.me lin.ee pf.kakao.com post.naver.com zalo.me koo.in patreon.com ko-fi.com
    steadyhq.com discord.gg plus.google.com
    """.split()
)
"""Hosts of social accounts, without `www.`"""
_FOLLOWED = re.compile(
    r"https?://(?:news\.google\.com/publications/|(?:www\.)?google\.com/preferences/source|(?:www\.)?whatsapp\.com/channel/)"
)
"""URLs by which a publisher is followed, which only the publisher itself gives."""
_PLANS = frozenset(
    """
    donate donation donations donar doar dona doneer doneren spende spenden don dons soutenir soutien apoya apoyar
    subscribe subscription subscriptions subscriber abo abos abonnement abonnements abonnieren abonnez abonner abonare abbonati
    abbonamenti suscribete suscripcion suscripciones suscribirse assine assinatura assinaturas prenumerera prenumeration
    membership memberships member members join login signin signup newsletter newsletters patron supporter supporters
    """.split()
)
"""First words of paths to subscriptions, donations, logins and newsletters."""
_TAKERS = frozenset(
    """
    paypal.com paypal.me gofundme.com donorbox.org opencollective.com liberapay.com buymeacoffee.com tipeee.com betterplace.org
    """.split()
)
"""Hosts of donations, without `www.`"""
_MAX_PLAN_WORDS = 3  # words in a path segment: a story about subscribers has more
_NO_ACCOUNT = re.compile(
    r"share|sharer|sharer\.php|intent|watch|search|hashtag|explore|p|reel|status|dialog|home", re.IGNORECASE
)
_MAX_STEPS = 2  # segments of an account's path: `/channel/x`; a post's path has more, or a number
_MAX_ACCOUNTS = 8  # a list of credits has more
_POST = re.compile(r"\d{6}")
_MIN_NAME = 4  # letters that the names of an account and of its owner share
_LETTERS = re.compile(r"[\W_]+")


def account_names(host: str, authors: Iterable[str]) -> frozenset[str]:
    """Return the names, letters only, that accounts of a page's makers may have: parts of its host, and authors."""
    names = (*host.split("."), *authors)
    return frozenset(name for one in names if len(name := _letters(one)) >= _MIN_NAME)


def gives_accounts(element: HtmlElement, *, host: str, makers: Iterable[str]) -> bool:
    """Whether a paragraph says how to follow, contact or pay the page's publisher or authors.

    It links to accounts at two services, to one of their own accounts, or to a mailbox of the site; or only to
    subscriptions, donations, logins and newsletters. A single account of someone else may be a source's.
    """
    addresses = [link.get("href") or "" for link in element.iter("a")]
    if any(_is_own_mail(one, host) or _FOLLOWED.match(one) for one in addresses) or _are_for_plans(addresses, host):
        return True
    accounts = [account for one in addresses if (account := _account(one))]
    if len({service for service, _ in accounts}) > 1 and len(accounts) <= _MAX_ACCOUNTS:
        return True
    return any(_is_of(name, makers) for _, name in accounts)


def _are_for_plans(addresses: Sequence[str], host: str) -> bool:
    """Whether all URLs are of subscriptions, donations, logins or newsletters."""
    return bool(addresses) and all(_is_for_plan(one, host) for one in addresses)


def _is_for_plan(address: str, host: str) -> bool:
    try:
        parts = urlsplit(address)
        there = (parts.hostname or host).removeprefix("www.")
    except ValueError:
        return False
    if there in _TAKERS:
        return True
    steps = [step for step in parts.path.split("/") if step]
    if not 0 < len(steps) <= _MAX_STEPS or not _is_same(there, host):
        return False
    return any(
        words[0] in _PLANS and len(words) <= _MAX_PLAN_WORDS for step in steps if (words := step.casefold().split("-"))
    )


def _is_same(there: str, host: str) -> bool:
    """Whether a host is the page's own, or one is a subdomain of the other."""
    own = host.removeprefix("www.")
    return there == own or there.endswith(f".{own}") or own.endswith(f".{there}")


def _account(address: str) -> tuple[str, str] | None:
    """Return service and name of an account; None for other URLs, and for an account's posts."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return None
    if host not in _SERVICES:
        return None
    steps = [step for step in parts.path.split("/") if step]
    if not 0 < len(steps) <= _MAX_STEPS or _NO_ACCOUNT.fullmatch(steps[0]) or _POST.search(steps[-1]):
        return None
    return host, _letters(steps[-1])


def _is_of(name: str, makers: Iterable[str]) -> bool:
    return len(name) >= _MIN_NAME and any(name in one or one in name for one in makers)


def _is_own_mail(address: str, host: str) -> bool:
    """Whether a mail address is at the page's own host or a subdomain."""
    if not address.startswith("mailto:"):
        return False
    at = address.partition("?")[0].rpartition("@")[2].casefold()
    return bool(at) and _is_same(at, host)


def _letters(name: str) -> str:
    return _LETTERS.sub("", name).casefold()

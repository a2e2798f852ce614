"""Render the pages of a batch whose sources require a browser."""

import asyncio
from collections.abc import Callable, Mapping

from tasks.config.catalogue import SourceRules
from tasks.errors import UnexpectedError
from tasks.politeness.client import PoliteClient
from tasks.runtime.guarding import guarded_item
from tasks.web.browser import Browser, RenderFailed, opened_browser
from tasks.web.exchange import Exchange

PAGES_AT_ONCE = 4

Rendition = bytes | RenderFailed | UnexpectedError
Take = Callable[[int, Rendition], None]


async def render_pages(
    pages: Mapping[int, tuple[Exchange, SourceRules, str]], *, client: PoliteClient, take: Take
) -> None:
    """Render every page in one browser, and pass each result with its number to `take`; without pages no browser is started.

    Each page comes as response, rules, and the route (URL fragment) that it was announced with, if any.
    """
    if not pages:
        return
    free = asyncio.Semaphore(PAGES_AT_ONCE)

    async def render(browser: Browser, number: int, page: tuple[Exchange, SourceRules, str]) -> None:
        async with free:
            take(number, await _rendered(browser, *page, client=client))

    try:
        async with opened_browser() as browser, asyncio.TaskGroup() as rendering:
            for number, page in pages.items():
                rendering.create_task(render(browser, number, page))
    except RenderFailed as error:  # the browser did not start
        for number in pages:
            take(number, error)


async def _rendered(
    browser: Browser, fetched: Exchange, rules: SourceRules, route: str, *, client: PoliteClient
) -> Rendition:
    try:
        with guarded_item(fetched.url):
            chosen = await client.client_for(rules)
            return await browser.render(fetched, chosen, user_agent=rules.user_agent, route=route)
    except (RenderFailed, UnexpectedError) as error:
        return error

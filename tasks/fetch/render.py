"""The pages of a batch whose sources ask for a browser, as their scripts make them."""

import asyncio
from collections.abc import Callable, Mapping

from tasks.config.catalogue import SourceRules
from tasks.errors import UnexpectedError
from tasks.politeness.client import PoliteClient
from tasks.runtime.guarding import guarded_item
from tasks.web.browser import Browser, RenderFailed, opened_browser
from tasks.web.exchange import Fetched

PAGES_AT_ONCE = 4

Rendition = bytes | RenderFailed | UnexpectedError
Tell = Callable[[int, Rendition], None]


async def render_pages(pages: Mapping[int, tuple[Fetched, SourceRules]], *, client: PoliteClient, tell: Tell) -> None:
    """Render every page in one browser, and tell under its number what came of it; without pages, none is started."""
    if not pages:
        return
    free = asyncio.Semaphore(PAGES_AT_ONCE)

    async def render(browser: Browser, number: int, fetched: Fetched, rules: SourceRules) -> None:
        async with free:
            tell(number, await _rendered(browser, fetched, rules, client))

    try:
        async with opened_browser() as browser, asyncio.TaskGroup() as rendering:
            for number, (fetched, rules) in pages.items():
                rendering.create_task(render(browser, number, fetched, rules))
    except RenderFailed as error:  # the browser did not start
        for number in pages:
            tell(number, error)


async def _rendered(browser: Browser, fetched: Fetched, rules: SourceRules, client: PoliteClient) -> Rendition:
    try:
        with guarded_item(fetched.url):
            return await browser.render(fetched, await client.client_for(rules), user_agent=rules.user_agent)
    except (RenderFailed, UnexpectedError) as error:
        return error

"""Pages that redirect by their content, and pages that only look like it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.web.exchange import Exchange, leads_to
from tests.work import calls_of

LONG = "<p>The harbour was opened again by the mayor of the town, after nine months of works.</p>" * 20


def led(html, *fields, status=200, kind="text/html"):
    hop = Exchange(
        url="https://daily.example/go/1",
        request_head=b"",
        response_head=b"",
        status=status,
        headers=(("content-type", kind), *fields),
        body=b"",
        address=None,
        started_at=datetime(2026, 3, 1, tzinfo=UTC),
        elapsed_ms=1,
    )
    return leads_to(hop, html.encode())


def meta(content, *, around="{}"):
    return f'<html><head>{around.format(f"""<meta http-equiv="refresh" content="{content}">""")}</head><body>Moved</body></html>'


@pytest.mark.parametrize(
    "html",
    [
        meta("0;url=/story"),
        meta("0; URL=/story"),
        meta("1;url='/story'"),
        meta("5, url = /story"),
        meta("0; /story"),
        meta("0.5;url=/story"),
        meta("0;url=/story") + LONG,
        "<META CONTENT='0;URL=/story' HTTP-EQUIV=Refresh>",
        "<html><meta http-equiv=refresh content=0;url=/story>",
        meta("0;url=/story", around="<noscript>{}</noscript>"),
        "<html><script>location.href = '/story'</script></html>",
        '<html><script type="text/javascript">window.location.replace("/story");</script></html>',
        "<html><body><script>\n<!--\ndocument.location='\\/story'\n//-->\n</script></body></html>",
        "<html><script>setTimeout(function () { location.href = '/story'; }, 500);</script></html>",
        "<html><script>setTimeout(\"top.location='/story'\", 0)</script></html>",
        "<html><script>window.onload = () => { window.parent.location.replace(`/story`) }</script></html>",
        "<html><script>(function () { document.location = '/story'; })();</script></html>",
        "<html><script>//<![CDATA[\nlocation = '/story'; // on\n//]]></script></html>",
        "<html><script>/* moved */ location='/story' /* on */</script></html>",
        "<html><body onload=\"window.location.href='/story'\">Moved</body></html>",
        "<html><script>top.location.assign('/story')</script><noscript><a href='/story'>On</a></noscript></html>",
    ],
)
def test_a_page_that_leads_on_is_followed(html):
    assert led(html) == "/story"


@pytest.mark.parametrize("value", ["0; url=/story", "0;URL='/story'", "3; /story"])
def test_a_refresh_field_leads_on(value):
    assert led(LONG, ("refresh", value)) == "/story"


@pytest.mark.parametrize(
    "html",
    [
        LONG,
        meta("300"),
        meta("0"),
        meta("300;url=/story"),
        meta("11;url=/story"),
        meta("soon;url=/story"),
        meta("0;url=/no-scripts", around="<noscript>{}</noscript>") + LONG,
        meta("0;url=/old", around="<!-- {} -->") + LONG,
        f"<html>{LONG}<script>location.href='/next'</script></html>",
        "<html><script>if (top !== self) { top.location = '/story' }</script><p>Few words.</p></html>",
        "<html><script>var a = 1; location.href = '/story'; track();</script></html>",
        '<html><meta name="description" content="0;url=/story"></html>',
        "<html><script>setTimeout(function () { location.href = '/story'; }, 30000);</script></html>",
        "<html><script>/* location='/story' */</script></html>",
        f"<html><body onload=\"location='/next'\">{LONG}</body></html>",
        "<html><script>location = `/story/${number}`</script></html>",
    ],
)
def test_a_page_with_its_own_content_is_a_page(html):
    assert led(html) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "text/html"), (200, "application/pdf"), (200, "application/rss+xml")]
)
def test_only_html_leads_on(status, kind):
    assert led("<rss>" + meta("0;url=/story")[6:], status=status, kind=kind) is None


@given(st.text(alphabet="<>=\"' -!/;metaurlscriptlocation", max_size=300))
def test_no_page_raises(html):
    led(html)


@pytest.mark.parametrize(
    "html",
    [
        "<meta " * 5000,
        "<script>" * 4000,
        "<!--" * 8000,
        "<meta content='" + "0;" * 15_000,
        "<noscript>" * 3000,
        "<script>location" + "/*" * 15_000 + "</script>",
        "<script>location" + "//" * 15_000 + "</script>",
        "<script>location='" + "//" * 15_000 + "'",
        "<body onload=location" * 1500,
        "<script>setTimeout(" + " " * 30_000 + "location</script>",
        "<meta http-equiv='refresh' content='0" + " " * 30_000,
    ],
)
def test_unclosed_markup_costs_little(html):
    assert calls_of(lambda: led(f"<html>{html}")) < 20_000

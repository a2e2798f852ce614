"""Made the specimen beside it, once, with the code of tag v0.1.0: a record of how, not a tool. See README.md.

    git checkout v0.1.0 && PYTHONPATH=. python tests/data/released/0.1.0/make.py

Needs libfaketime (sweeps on three days in March 2026) and PostgreSQL's programs. Serves a made-up press on loopback,
sweeps it by the command `presslake`, and writes what that left, without this machine's names.
"""

import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deltalake import DeltaTable
from sqlalchemy import Integer, null, select, text
from sqlalchemy.engine import make_url

from tasks.index import outbox
from tasks.index.database import open_index
from tasks.index.schema import metadata
from tests.postgres import find_binaries, fresh_database, started_server

HERE = Path(__file__).resolve().parent
VERSION = "0.1.0"
COMMIT = "16c756e0bf32be9fcc14f8b42bf7c79101c6ad5f"
HARBOUR, VALLEY, ISLAND = "127.91.0.1", "127.91.0.2", "127.91.0.3"
NOBODY = "127.91.0.9"
PORT = 18473
MACHINE = "writer.example/00000000-0000-4000-8000-000000000001/4026531836"
FIRST, SECOND = datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 2, 14, tzinfo=UTC)
MAINTAINED = datetime(2026, 3, 3, 7, tzinfo=UTC)
THIRD, KILLED = datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 3, 4, 9, tzinfo=UTC)

# The third source obeys reservations, so its tdmrep.json is asked for; feeds end, fail, move and have children
CATALOGUE = f"""\
defaults: {{crawl_delay_s: 0.0, max_per_host: 4, allow_networks: ["127.0.0.0/8"]}}
sources:
  - id: harbour
    name: Harbour Post
    home_url: http://{HARBOUR}:{PORT}/
    feeds: ["http://{HARBOUR}:{PORT}/feed.xml", "http://{HARBOUR}:{PORT}/ended.xml", "http://{HARBOUR}:{PORT}/broken.xml"]
    language: en
  - id: valley
    feeds: ["http://{VALLEY}:{PORT}/old-feed.xml"]
    sitemaps: ["http://{VALLEY}:{PORT}/sitemap.xml"]
    exclude: ['/sport/']
  - id: island
    listings: ["http://{ISLAND}:{PORT}/latest"]
    urls: ["http://{ISLAND}:{PORT}/news/tidal-mill-restored-after-war.html"]
    obey_tdm: true
    poll: {{min_s: 600, max_s: 43200}}
"""

WORDS = """
harbour council river bridge budget teacher station market winter library garden doctor ferry valley museum engine
orchard minister signal railway lantern village harvest committee theatre painter glacier meadow captain factory
""".split()
VERBS = "opened closed welcomed rejected repaired painted measured visited promised delayed questioned praised".split()

GERMAN = (
    "Die alte Mühle am Gezeitenkanal läuft wieder. Nach elf Jahren Arbeit drehte sich das Rad am Sonntag zum ersten Mal, "
    "und rund dreihundert Zuschauer standen auf der Brücke, als das Wasser durch die Schleuse schoss.",
    "Den größten Teil der 420.000 Euro haben die Bewohner der Insel selbst gesammelt. Das Holz für die Schaufeln kommt aus "
    "dem Wald hinter dem Deich, geschlagen im Winter und zwei Sommer lang getrocknet.",
    "Gemahlen wird künftig jeden zweiten Samstag. Der Müller, früher Lehrer an der Inselschule, will auch Kindern zeigen, "
    "wie aus Korn Mehl wird. Eine Führung kostet vier Euro, für Schüler nichts.",
)
JAPANESE = (
    "島の北側にある古い灯台が、四月から一般に公開されることになった。町の議会が月曜日に全員一致で決めた。",
    "灯台は百二十年前に石で建てられ、三十年前に光を失った。屋根と階段の修理には二年かかり、費用は千八百万円だった。",
    "見学は週末の午前十時から午後四時まで。一度に上がれるのは十二人で、子どもは無料。町長は「海を見ながら昔の話をしたい」と述べた。",
)


def paragraphs(seed: str) -> tuple[str, ...]:
    """Return four paragraphs of three sentences, always the same for a seed."""
    chance = random.Random(seed)

    def sentence() -> str:
        first, second, third = chance.sample(WORDS, 3)
        return (
            f"The {first} near the {second} {chance.choice(VERBS)} the {third} on day {chance.randrange(1, 365)}, "
            f"and {chance.randrange(2, 900)} people {chance.choice(VERBS)} it."
        )

    return tuple(" ".join(sentence() for _ in range(3)) for _ in range(4))


def page(title: str, body: tuple[str, ...], day: int, *, head: str = "", lang: str = "en") -> dict:
    """Return the answer with an article's page."""
    told = "".join(f"<p>{one}</p>" for one in body)
    html = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}'
        f'<meta property="og:type" content="article"><meta property="og:title" content="{title}">'
        f'<meta property="article:published_time" content="2026-03-0{day}T06:30:00+01:00"></head><body><nav><a href="/">Home</a> '
        f'<a href="/about">About</a></nav><main><article><h1>{title}</h1>{told}</article></main>'
        "<footer><p>All rights reserved by the reporters of this paper</p></footer></body></html>"
    )
    return {"status": 200, "headers": {"Content-Type": "text/html; charset=utf-8"}, "body": html}


def other(status: int, body: str = "", **headers: str) -> dict:
    return {"status": status, "headers": {name.replace("_", "-"): value for name, value in headers.items()}, "body": body}


def html(body: str) -> dict:
    return other(200, f"<!doctype html><html lang='en'>{body}</html>", Content_Type="text/html; charset=utf-8")


def rss(items: list[tuple[str, str, int]]) -> dict:
    told = "".join(
        f"<item><title>{title}</title><link>{url}</link><pubDate>0{day} Mar 2026 06:30:00 +0100</pubDate></item>"
        for url, title, day in items
    )
    body = f'<rss version="2.0"><channel><title>Harbour Post</title><ttl>60</ttl>{told}</channel></rss>'
    return other(200, body, Content_Type="application/rss+xml", ETag=etag(body))


def etag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'


def url(host: str, path: str) -> str:
    return f"http://{host}:{PORT}{path}"


def title_of(path: str) -> str:
    return path.removesuffix(".html").rpartition("/")[2].replace("-", " ").capitalize()


BRIDGE, BUDGET, FERRY, CLOCK, FLOOD = (
    f"/news/{name}.html"
    for name in (
        "bridge-reopens-after-long-repair", "budget-vote-delayed-once-more", "ferry-timetable-changes-in-spring",
        "clock-tower-runs-late-again", "flood-wall-to-be-raised",
    )
)  # fmt: skip
ORCHARD, RAILWAY, COPY, NEARLY = (
    f"/2026/{name}.html"
    for name in (
        "orchard-prize-goes-to-valley", "railway-signal-failure-explained", "council-puts-off-budget-vote",
        "ferry-timetable-new-this-spring",
    )
)  # fmt: skip
MILL, TOWER, EXCERPT, LATE_COPY = (
    "/news/tidal-mill-restored-after-war.html", "/news/old-lighthouse-open-to-public.html",
    "/news/flood-wall-seen-from-island.html", "/news/museum-engine-heard-on-island.html",
)  # fmt: skip
MUSEUM = "/news/museum-engine-runs-once-more.html"
WAITING = "/news/glacier-path-closed-for-summer.html"
NEXT = "/news/winter-market-moves-to-station.html"


def answers(phase: int) -> dict[str, dict]:
    """Return what the press answers in each of its phases: 1 to 3 the sweeps, 4 the one that is killed, 5 afterwards."""
    found: dict[str, dict] = {}
    harbour = [(BRIDGE, 1), (BUDGET, 1), (FERRY, 2), (FLOOD, 2)]
    for path, day in harbour:
        body = paragraphs(path) + (paragraphs(f"{path} continued") if path == FLOOD else ())
        furniture = '<meta name="edition" content="evening">' if path == FERRY and phase >= 3 else ""
        found[url(HARBOUR, path)] = page(title_of(path), body, day, head=furniture)
    clock = page(title_of(CLOCK), paragraphs(CLOCK), 2, head='<meta name="robots" content="noarchive">')
    found |= {
        url(HARBOUR, "/go/clock"): other(302, Location="/moved/clock"),
        url(HARBOUR, "/moved/clock"): other(301, Location=CLOCK),
        url(HARBOUR, CLOCK): clock,
        url(HARBOUR, "/"): html("<head><title>Harbour Post</title></head><body><h1>Harbour Post</h1><p>News.</p></body>"),
        url(HARBOUR, "/news/11-went-home.html"): other(302, Location="/"),
        url(HARBOUR, "/news/12-in-a-circle.html"): other(302, Location="/news/12-in-a-circle.html?again=1"),
        url(HARBOUR, "/news/12-in-a-circle.html?again=1"): other(302, Location="/news/12-in-a-circle.html"),
        url(HARBOUR, "/news/13-was-withdrawn.html"): other(410, "gone", Content_Type="text/plain"),
        url(HARBOUR, "/news/14-only-for-some.html"): other(403, "no", Content_Type="text/plain"),
        url(HARBOUR, "/news/15-busy-today.html"): other(503, "busy", Content_Type="text/plain"),
        url(HARBOUR, "/news/16-annual-report.pdf"): other(200, "%PDF-1.4 nothing in it", Content_Type="application/pdf"),
        url(HARBOUR, "/robots.txt"): other(
            200, "User-agent: *\nDisallow: /private/\nCrawl-delay: 0.1\n", Content_Type="text/plain"
        ),
        url(HARBOUR, "/ended.xml"): other(410, "no more", Content_Type="text/plain"),
        url(HARBOUR, "/broken.xml"): other(500, "trouble", Content_Type="text/plain"),
    }
    odd = ["/go/clock", "/news/10-never-was-there.html", "/news/11-went-home.html", "/news/12-in-a-circle.html",
           "/news/13-was-withdrawn.html", "/news/14-only-for-some.html", "/news/15-busy-today.html",
           "/news/16-annual-report.pdf", "/news/17-poison.html", "/private/18-not-for-us.html"]  # fmt: skip
    items = [(url(HARBOUR, path), title_of(path), day) for path, day in harbour]
    items += [(url(HARBOUR, path), title_of(path), 2) for path in odd]
    items += [(f"http://{NOBODY}:{PORT}/news/nobody-answers-here.html", "Nobody answers", 2)]
    items += [("http://10.0.0.1/news/inside-of-something.html", "Inside", 2)]
    if phase == 1:
        poison = page("Poison", ("<i></i>" * 51_000,), 2)
        found[url(HARBOUR, "/news/17-poison.html")] = poison
    if phase >= 2:
        mended = (*paragraphs(BRIDGE)[:-1], "The repair cost 14 million crowns, and not 12 as this paper said before.")
        found[url(HARBOUR, BRIDGE)] = page(title_of(BRIDGE), mended, 1)
        items.append((url(HARBOUR, MUSEUM), title_of(MUSEUM), 2))
    found[url(HARBOUR, MUSEUM)] = page(title_of(MUSEUM), paragraphs(MUSEUM), 2)
    if phase >= 4:
        items.append((url(HARBOUR, WAITING), title_of(WAITING), 4))
        items.append((url(HARBOUR, "/news/19-lost-by-then.html"), "Lost by then", 4))
    found[url(HARBOUR, WAITING)] = page(title_of(WAITING), paragraphs(WAITING), 4)
    if phase >= 5:
        items.append((url(HARBOUR, NEXT), title_of(NEXT), 5))
        found[url(HARBOUR, NEXT)] = page(title_of(NEXT), paragraphs(NEXT), 5)
    found[url(HARBOUR, "/feed.xml")] = rss(items)
    return found | valley(phase) | island(phase)


def valley(phase: int) -> dict[str, dict]:
    rich = json.dumps({
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": title_of(ORCHARD),
        "author": [{"@type": "Person", "name": "Ada Brook"}, {"@type": "Person", "name": "Jón Þórsson"}],
        "datePublished": "2026-03-01T06:30:00+01:00", "dateModified": "2026-03-01T09:00:00+01:00",
        "articleSection": "Local", "keywords": ["orchards", "prizes"], "image": url(VALLEY, "/orchard.jpg"),
        "isAccessibleForFree": False,
    }, ensure_ascii=False)  # fmt: skip
    head = (
        f'<script type="application/ld+json">{rich}</script><link rel="canonical" href="{url(VALLEY, ORCHARD)}?full=1">'
        '<meta property="og:description" content="The best apples grow above the second bend of the river.">'
    )
    wire = '<link rel="canonical" href="https://wire.example/2026/railway-signal">'
    near = (*paragraphs(FERRY)[:-1], f"{paragraphs(FERRY)[-1]} Our reporters asked the captain, who said little.")
    pages = {
        ORCHARD: page(title_of(ORCHARD), paragraphs(ORCHARD), 1, head=head),
        RAILWAY: page(title_of(RAILWAY), paragraphs(RAILWAY), 2, head=wire),
        COPY: page(title_of(COPY), paragraphs(BUDGET), 2),
        NEARLY: page(title_of(NEARLY), near, 3),
    }
    for path, one in pages.items():  # this site has validators
        one["headers"] |= {"ETag": etag(one["body"]), "Last-Modified": "Sun, 01 Mar 2026 06:00:00 GMT"}
    known = [ORCHARD, COPY] + ([NEARLY] if phase >= 2 else [])
    entries = "".join(
        f'<entry><title>{title_of(path)}</title><id>urn:valley:{path}</id><link href="{url(VALLEY, path)}"/>'
        "<updated>2026-03-02T06:30:00+01:00</updated></entry>"
        for path in known
    )
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Valley</title><id>urn:valley</id>{entries}</feed>'
    ns = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    index = f"<sitemapindex {ns}><sitemap><loc>{url(VALLEY, '/sitemap-1.xml')}</loc></sitemap></sitemapindex>"
    urls = "".join(f"<url><loc>{url(VALLEY, path)}</loc></url>" for path in (RAILWAY, "/sport/skipped-by-rule.html"))
    return {url(VALLEY, path): one for path, one in pages.items()} | {
        url(VALLEY, "/robots.txt"): other(404, "none", Content_Type="text/plain"),
        url(VALLEY, "/old-feed.xml"): other(301, Location="/atom.xml"),
        url(VALLEY, "/atom.xml"): other(
            200, atom, Content_Type="application/atom+xml", ETag=etag(atom), Cache_Control="max-age=1200"
        ),
        url(VALLEY, "/sitemap.xml"): other(200, index, Content_Type="application/xml"),
        url(VALLEY, "/sitemap-1.xml"): other(200, f"<urlset {ns}>{urls}</urlset>", Content_Type="application/xml"),
    }


def island(phase: int) -> dict[str, dict]:
    excerpt = (paragraphs(FLOOD)[0], paragraphs(FLOOD)[1])
    login = (
        "<head><title>Sign in | Island Gazette</title></head><body><h1>Sign in to continue reading</h1><p>This story is for "
        "members. Sign in with the address that you used when you joined.</p><form><input name='email'>"
        "<input type='password' name='password'><button>Sign in</button></form></body>"
    )
    missing = (
        "<head><title>Page not found | Island Gazette</title></head><body><h1>Page not found</h1>"
        "<p>Sorry, the page that you were looking for may have moved or may never have existed.</p></body>"
    )
    kept = '<meta name="tdm-reservation" content="1">'
    links = [TOWER, "/news/21-for-members-only.html", "/news/22-nobody-knows-where.html", "/news/23-not-for-machines.html"]
    links += [EXCERPT, LATE_COPY] if phase >= 3 else []
    late = (*paragraphs(MUSEUM)[:-1], f"{paragraphs(MUSEUM)[-1]} It could be heard as far as the lighthouse.")
    listing = "".join(f'<h3><a href="{path}">{title_of(path)}</a></h3><p>A teaser about it.</p>' for path in links)
    return {
        url(ISLAND, "/latest"): html(f"<head><title>Latest</title></head><body><main>{listing}</main></body>"),
        url(ISLAND, MILL): page("Gezeitenmühle läuft nach elf Jahren wieder", GERMAN, 1, lang="de"),
        url(ISLAND, TOWER): page("古い灯台が四月から公開へ", JAPANESE, 2, lang="ja"),
        url(ISLAND, EXCERPT): page(title_of(EXCERPT), excerpt, 3),
        url(ISLAND, LATE_COPY): page(title_of(LATE_COPY), late, 3),
        url(ISLAND, "/news/21-for-members-only.html"): html(login),
        url(ISLAND, "/news/22-nobody-knows-where.html"): html(missing),
        url(ISLAND, "/news/23-not-for-machines.html"): page("Not for machines", paragraphs("tdm"), 2, head=kept),
        url(ISLAND, "/.well-known/tdmrep.json"): other(
            200, '[{"location": "/shop/", "tdm-reservation": 1}]', Content_Type="application/json"
        ),
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, dict]

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = f"http://{self.server.server_address[0]}:{PORT}{self.path}"
        one = self.answers.get(asked, other(404, "no such page", Content_Type="text/plain"))
        status, body = one["status"], one["body"].encode()
        if status == 200 and "ETag" in one["headers"] and self.headers.get("If-None-Match") == one["headers"]["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in {**one["headers"], "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "press"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "sources.yaml").write_text(CATALOGUE)
        servers = [ThreadingHTTPServer((host, PORT), Handler) for host in (HARBOUR, VALLEY, ISLAND)]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        for phase, at in enumerate((FIRST, SECOND), 1):
            sweep(home, phase, at)
        command(home, MAINTAINED, "-m", "flows.cli", "maintain", "--json")
        sweep(home, 3, THIRD)
        sweep_and_die(home)
        keep(home)


def sweep(home: Path, phase: int, at: datetime) -> None:
    Handler.answers = answers(phase)
    command(home, at, "-m", "flows.cli", "ingest", "--json")


def sweep_and_die(home: Path) -> None:
    """Sweep, and be killed when the batch is decided and about to be published."""
    Handler.answers = answers(4)
    script = (
        "import os, signal, tasks.store.task as task; from flows.cli import main\n"
        "task.publish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main()"
    )
    command(home, KILLED, "-c", script, "ingest", "--json", code=-signal.SIGKILL)


def command(home: Path, at: datetime, *words: str, code: int = 0) -> None:
    """Run Python with the clock at that instant."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    ahead = round((at - datetime.now(UTC)).total_seconds())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PRESSLAKE_"))}
    environment |= {
        "LD_PRELOAD": str(library), "FAKETIME": f"{ahead:+d}", "NO_FAKE_STAT": "1",
        "PRESSLAKE_INDEX": "sqlite:///index.sqlite", "PRESSLAKE_LAKE": "lake", "PREFECT_HOME": str(home / "prefect"),
        "PYTHONPATH": os.pathsep.join((str(Path.cwd()), os.environ.get("PYTHONPATH", ""))), "TZ": "UTC",
    }  # fmt: skip
    done = subprocess.run([sys.executable, *words], cwd=home, env=environment, capture_output=True, text=True, check=False)
    print(at, done.stdout[-3000:], done.stderr[-3000:])
    assert done.returncode == code, done.returncode


def keep(home: Path) -> None:
    """Write the specimen: the lake, both forms of the index, what the press answers now, and what is to be found."""
    wipe(home / "index.sqlite")
    for log in (home / "lake").glob("*/_delta_log/*.json"):  # each table's first commit says where it was made
        log.write_text(log.read_text().replace(str(home), ""))
    for name in ("lake", "index.sqlite", "index.sql.gz"):
        kept = HERE / name
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink(missing_ok=True)
    shutil.copytree(home / "lake", HERE / "lake")
    (HERE / "index.sqlite").write_bytes((home / "index.sqlite").read_bytes())
    dump = dump_on_postgresql(home / "index.sqlite")
    (HERE / "index.sql.gz").write_bytes(gzip.compress(dump.encode(), 9, mtime=0))
    (HERE / "sources.yaml").write_text(CATALOGUE)
    (HERE / "press.json").write_text(json.dumps(answers(5), indent=1, ensure_ascii=False) + "\n")
    (HERE / "expected.json").write_text(json.dumps(count(home), indent=1, ensure_ascii=False) + "\n")


def wipe(path: Path) -> None:
    """Put other names in place of this machine's, and have all in the one file."""
    with sqlite3.connect(path) as index:
        index.execute("UPDATE facts SET value = 'lake' WHERE name = 'lake_uri'")
        index.execute("UPDATE runs SET machine = ?", (MACHINE,))
    index.execute("VACUUM")
    index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()


def dump_on_postgresql(path: Path) -> str:
    """Return the same rows as PostgreSQL's dump of them, in SQL that every version and driver reads."""
    with started_server(find_binaries()) as server, fresh_database(server) as address:
        with open_index(f"sqlite:///{path}") as old, open_index(address) as new, old.read() as source, new.write() as tx:
            for table in metadata.sorted_tables:
                tx.execute(table.delete())
                rows = [
                    {name: null() if value is None else value for name, value in row.items()}
                    for row in source.execute(select(table)).mappings()
                ]
                for row in rows:
                    tx.execute(table.insert().values(row))
                for column in table.columns:
                    if column.autoincrement is True and isinstance(column.type.dialect_impl(tx.dialect), Integer):
                        sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                        tx.execute(text(f"SELECT setval({sequence}, max({column.name})) FROM {table.name}"))
        plain = make_url(address)
        done = subprocess.run(
            ["pg_dump", "--no-owner", "--no-privileges", "--inserts", "-h", plain.query["host"],
             "-U", str(plain.username), str(plain.database)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    # \restrict is a word of psql's, and not of those of before August 2025
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith(("\\", "--")))


def count(home: Path) -> dict:
    """Return what is in the specimen, counted without the project's readers where that can be done."""
    captures = DeltaTable(home / "lake/captures").to_pyarrow_table().to_pylist()
    articles = DeltaTable(home / "lake/articles").to_pyarrow_table().to_pylist()
    with open_index(f"sqlite:///{home / 'index.sqlite'}") as index, index.read() as tx:
        (waiting,) = outbox.pending(tx, limit=10)
        rows = {table.name: len(tx.execute(select(table)).all()) for table in metadata.sorted_tables}
    for name in ("index.sqlite-wal", "index.sqlite-shm"):
        assert not (home / name).exists()
    return {
        "version": VERSION,
        "commit": COMMIT,
        "made_at": (KILLED + timedelta(hours=1)).isoformat(),
        "lake": {
            "articles": len({row["article_id"] for row in articles}),
            "revisions": len(articles),
            "captures": len(captures),
            "outcomes": sorted_counts(row["outcome"] for row in captures),
            "reasons": sorted_counts(row["reason"] for row in captures if row["reason"]),
            "novelties": sorted_counts(row["novelty"] for row in captures if row["novelty"]),
            "quarantined": len(list((home / "lake/quarantine").rglob("*.json"))),
            "segments": len(list((home / "lake/warc").rglob("*.warc.gz"))),
            "packed": sorted(path.parts[-3] for path in (home / "lake").rglob("maintained-*.parquet")),
            "texts": texts(articles),
        },
        "waiting": {
            "batch_id": waiting.batch_id,
            "run_id": waiting.captures[0].run_id,
            "captures": sorted([one.url, one.outcome, one.reason, one.novelty] for one in waiting.captures),
            "texts": texts([{"article_id": one.article_id, "revision": one.revision, "url": one.url, "text": one.text}
                            for one in waiting.articles]),
        },
        "index": rows,
        "next": {"url": url(HARBOUR, NEXT), "title": title_of(NEXT)},
    }  # fmt: skip


def sorted_counts(values: object) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def texts(rows: list[dict]) -> list[list]:
    """Return URL, article, revision and the SHA-256 of the text of each row."""
    return sorted(
        [row["url"], row["article_id"], row["revision"], hashlib.sha256(row["text"].encode()).hexdigest()] for row in rows
    )


if __name__ == "__main__":
    main()

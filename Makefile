# Presslake: everything a newcomer needs. `make demo` and `make test` do their own set-up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
WORKERS ?= 4

# Where this is set, each of the hundreds of processes that the tests start would compile the project again
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check fix bench bench-extract bench-dedup bench-pool bench-feeds bench-commands bench-hostile bench-shards bench-claims bench-search bench-replay bench-backfill bench-runners soak chaos stuck-runs exits walk pictures audit licences lock clean columns bench-web bench-revisits bench-browse bench-peers bench-hour bench-scale bench-floor fuzz

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## Make .venv with the pinned versions, byte-compiled

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Presslake needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 flows tasks presslake  # once, and not in each of the tests' processes
	@touch $(READY)

demo: $(READY)  ## Sweep three small outlets on loopback twice and show the results
	@$(BIN)/python -m examples.demo

test: $(READY)  ## Run the tests, four at a time; make test WORKERS=8 on more cores, 0 for sequential
	$(BIN)/python -m pytest -n $(WORKERS) --durations=10

test-long: $(READY)  ## Run the slow tests sequentially, and Hypothesis tests with more examples (10 minutes)
	$(BIN)/python -m pytest -m "long or hypothesis" --hypothesis-profile=long

check: $(READY)  ## What CI runs: style, types, layers, dependencies, tests with branch coverage; AUDIT=offline if the advisory service is unreachable
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.audit $(if $(filter offline,$(AUDIT)),--offline-ok)
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered

fix: $(READY)  ## Fix style automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## Measure CPU per article of the whole run, relative to trafilatura alone
	$(BIN)/python -m benchmarks.whole_run

bench-extract: $(READY)  ## Score extraction beside stock trafilatura on each labelled set, with intervals, and measure CPU per page
	$(BIN)/python -m benchmarks.extraction

bench-pool: $(READY)  ## Measure the extraction pool's memory over 20,000 pages, and the gain of a second worker (half an hour)
	$(BIN)/python -m benchmarks.pool

bench-replay: $(READY)  ## Measure a replay with the same rules beside extraction alone, over 3,000 captures (5 minutes)
	$(BIN)/python -m benchmarks.replay

bench-dedup: $(READY)  ## Measure how well near-duplicates are found, and the cost as the index grows
	$(BIN)/python -m benchmarks.dedup --full

bench-feeds: $(READY)  ## Measure the cost of polling 10,000 feeds: new, with 304s, with the same bytes
	$(BIN)/python -m benchmarks.feeds

bench-commands: $(READY)  ## Measure the CPU of each command, as ratios of importing typer and rich, and of a sweep of one article
	$(BIN)/python -m benchmarks.commands --sweeps

bench-claims: $(READY)  ## Measure the cost of a claim at ten thousand, a hundred thousand and a million due URLs
	$(BIN)/python -m benchmarks.claims

bench-rights: $(READY)  ## Measure the cost of rights per page, and of reading each kind of document
	$(BIN)/python -m benchmarks.rights

bench-shards: $(READY)  ## Measure the gain of a second process, on PostgreSQL and Ceph: shards on two workers, sweeps side by side
	$(BIN)/python -m benchmarks.shards

bench-browse: $(READY)  ## Measure the pages of presslake browse over 100,000 articles, which takes ten minutes to make
	$(BIN)/python -m benchmarks.browse

bench-backfill: $(READY)  ## Measure pages a CPU-second of a backfill of 5,000 records beside bare trafilatura, and its memory on 2 GB
	$(BIN)/python -m benchmarks.backfill

bench-revisits: $(READY)  ## Measure the CPU of a known page that is looked at again: answered 304, and with the same bytes
	$(BIN)/python -m benchmarks.revisits

bench-floor: $(READY)  ## Measure what a sweep costs at least with its libraries alone, beside the sweep itself
	$(BIN)/python -m benchmarks.floor

bench-runners: $(READY)  ## Take the same archives in by local, dask and ray, compare their tables, and time two workers beside one (20 minutes)
	$(BIN)/python -m benchmarks.runners

bench-web: $(READY)  ## Measure CPU a request over loopback, fifty hosts side by side
	$(BIN)/python -m benchmarks.web

bench-search: $(READY)  ## Measure building the search index of 100,000 articles, catching up, and searches (20 minutes)
	$(BIN)/python -m benchmarks.search

bench-peers: $(READY)  ## Measure Presslake beside Scrapy, crawlee, news-please, newspaper4k and bare trafilatura on the same pages, in a separate environment
	$(BIN)/python -m benchmarks.peers

bench-scale: $(READY)  ## Measure the cost of an index at 10,000, 100,000 and a million articles, on SQLite and PostgreSQL (15 minutes)
	$(BIN)/python -m benchmarks.scale

bench-hour: $(READY)  ## Sweep a press of 12 pages a second for an hour, with a million articles in the index; a row every five minutes
	$(BIN)/python -m benchmarks.hour

soak: $(READY)  ## Sweep a hundred times in a row, and show what grows
	$(BIN)/python -m benchmarks.soak

fuzz: $(READY)  ## Feed damaged documents to every parser of untrusted input, ten minutes each, two at a time (50 minutes)
	$(BIN)/python -m tests.e2e.fuzz

chaos: $(READY)  ## Kill sweeps 200 times over 2,000 articles, on SQLite, on PostgreSQL with Ceph, and on a Prefect server that is killed too; count losses
	$(BIN)/python -m tests.e2e.chaos

walk: $(READY)  ## Walk through the installation for production on loopback: PostgreSQL, Redis, Ceph, Prefect, workers (20 minutes)
	$(BIN)/python -m tests.deploy.walk

stuck-runs: $(READY)  ## Kill a sweep beside a long one, and show which of them Prefect marks as crashed (6 minutes)
	$(BIN)/python -m tests.e2e.stuck_runs

exits: $(READY)  ## Run each command a hundred times, and start the server forty times, beside four busy processes; none may end by a signal (an hour)
	$(BIN)/python -m tests.e2e.exits

bench-hostile: $(READY)  ## Measure the CPU of hostile pages, robots.txt files, JSON-LD and bodies, and a sweep of hostile sources, against bounds
	$(BIN)/python -m benchmarks.hostile

pictures: $(READY)  ## Take the pictures of Prefect's UI and of presslake browse in docs/ again
	PRESSLAKE_PICTURES=docs/pictures $(BIN)/python -m pytest -q -m browser tests/flows/test_ui.py tests/flows/test_report.py tests/browse/test_browser.py

columns: $(READY)  ## Generate the column tables in docs/lake.md from tasks/values/rows.py
	$(BIN)/python -m tests.columns_doc

audit: $(READY)  ## Ask the advisory service about every pinned dependency; fail if it does not answer
	$(BIN)/python -m deploy.audit

licences: $(READY)  ## List the packages that an installation brings, with licence and size; fail if a licence needs review
	@$(BIN)/python -m deploy.licences

lock: $(READY)  ## Update constraints.txt: names and versions only
	$(BIN)/uv pip compile --quiet --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links --all-extras --upgrade pyproject.toml --output-file constraints.txt

clean:  ## Remove generated files
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

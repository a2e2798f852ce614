"""Ask the advisory service about every pinned dependency: `make audit`.

Exit 0: all of constraints.txt was looked up and nothing is known against it. 1: something is, each in one line. 2: it could
not be looked up, in whole or in part; with `--offline-ok`, as `make check AUDIT=offline` has it, that is said aloud and exit 0.
pip-audit alone exits 0 there.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PIP_AUDIT = "pip-audit==2.10.1"
TIMEOUT_S = 300


def audit(constraints: Path) -> list[dict[str, Any]] | str:
    """Return what pip-audit says of each dependency, or why it says nothing."""
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit", "--requirement", constraints]
    flags = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json", "--timeout=15"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [*command, *flags], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S} s"
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return (done.stderr.strip() or "no output").splitlines()[-1]


def verdict(answer: list[dict[str, Any]] | str, *, offline_ok: bool) -> tuple[int, list[str]]:
    """Return the exit code, and what to say. Pure."""
    if isinstance(answer, str):
        return (0 if offline_ok else 2), [f"NOT AUDITED: the advisory service did not answer: {answer}"]
    found = [
        f"{one['name']} {one['version']}: {vuln['id']}, fixed in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for one in answer
        for vuln in one.get("vulns", ())
    ]
    skipped = [one["name"] for one in answer if "skip_reason" in one]
    if skipped:
        found.append(
            f"NOT AUDITED: {len(skipped)} of {len(answer)} dependencies could not be looked up, among them {skipped[0]}"
        )
    if len(found) > bool(skipped):
        return 1, found
    if skipped:
        return (0 if offline_ok else 2), found
    return 0, [f"audited: no advisory against any of the {len(answer)} pinned dependencies"]


def main(arguments: list[str]) -> int:
    """Audit, say so, and return the exit code."""
    code, lines = verdict(audit(Path("constraints.txt")), offline_ok="--offline-ok" in arguments)
    sys.stderr.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Asks PyPI for known vulnerabilities of everything that `constraints.txt` pins.

Ends with 1 where there are some, and with a line that says so where nobody could be asked.
"""

import json
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
_COMMAND = ("pip_audit", "--requirement", CONSTRAINTS, "--no-deps", "--disable-pip")


def main() -> int:
    """Prints what was found and what could not be asked; gives the exit code."""
    asked = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", *_COMMAND, "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        return _say(f"NOT RUN: the audit could not ask anybody: {asked.stderr[-300:]}", 0)
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    if len(skipped) == len(packages):
        return _say("NOT RUN: the audit found nobody who knows these packages.", 0)
    known = [
        f"{each['name']} {each['version']}: {fault['id']}, mended in {fault['fix_versions']}"
        for each in packages
        for fault in each.get("vulns", ())
    ]
    checked = len(packages) - len(skipped)
    return _say("\n".join([*known, f"{checked} packages audited, {len(skipped)} unknown"]), known)


def _say(text: str, failed: object) -> int:
    sys.stdout.write(f"{text}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

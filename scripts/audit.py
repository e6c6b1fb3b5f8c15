"""Looks up known vulnerabilities of every package that `constraints.txt` pins, at PyPI.

Exits with 1 if there are any, and with 2 and NOT RUN where PyPI cannot be asked about any of them:
what nobody has looked up is not free of faults.
"""

import json
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
NOT_RUN = 2
_COMMAND = ("pip_audit", "--requirement", CONSTRAINTS, "--no-deps", "--disable-pip")


def main() -> int:
    """Prints the vulnerabilities and how many packages are unknown; returns the exit code."""
    asked = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", *_COMMAND, "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        return _print_result(f"NOT RUN: PyPI could not be asked: {asked.stderr[-300:]}", NOT_RUN)
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    if len(skipped) == len(packages):
        return _print_result("NOT RUN: PyPI knows none of these packages.", NOT_RUN)
    known = [
        f"{each['name']} {each['version']}: {fault['id']}, fixed in {fault['fix_versions']}"
        for each in packages
        for fault in each.get("vulns", ())
    ]
    checked = len(packages) - len(skipped)
    text = "\n".join([*known, f"{checked} packages audited, {len(skipped)} unknown"])
    return _print_result(text, 1 if known else 0)


def _print_result(text: str, code: int) -> int:
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

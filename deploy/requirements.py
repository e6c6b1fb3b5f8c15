"""Prints what the service needs to be installed, one requirement a line.

    python deploy/requirements.py pyproject.toml [extra,extra]

An image holds the service's folder itself, so only its dependencies are to be installed.
"""

import sys
import tomllib


def main(path: str, extras: str = "") -> None:
    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    # An extra that names the project itself is for developing it.
    offered = {
        name: lines
        for name, lines in project["optional-dependencies"].items()
        if not any(line.startswith(project["name"]) for line in lines)
    }
    wanted = [each.strip() for each in extras.split(",") if each.strip()]
    unknown = [each for each in wanted if each not in offered]
    if unknown:
        sys.exit(f"no such extra: {', '.join(unknown)} (there are: {', '.join(offered)})")
    for each in [*project["dependencies"], *(line for name in wanted for line in offered[name])]:
        sys.stdout.write(f"{each}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Figures with their aims, printed as they come."""

from dataclasses import dataclass, field


@dataclass
class Results:
    """Prints figures; `missed` names those that are above or below their aim."""

    missed: list[str] = field(default_factory=list)

    def add_title(self, title: str) -> None:
        """Prints a heading."""
        print(f"\n{title}", flush=True)

    def add(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        most: float | None = None,
        least: float | None = None,
        note: str = "",
    ) -> None:
        """Prints one figure; `most` and `least` are its aims."""
        reached = (most is None or value <= most) and (least is None or value >= least)
        aim = f"aim ≤ {most:g}" if most is not None else f"aim ≥ {least:g}" if least else ""
        if not reached:
            self.missed.append(name)
            aim += "  MISSED"
        print(f"  {name:44} {value:>9.1f} {unit:8} {note:34} {aim}".rstrip(), flush=True)

"""What a person should know of an import: what was left out, what needs a look, who would gain access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LEFT_OUT = "Left out"
LOOK = "Look at"
GAIN = "Who would gain access in future"
UNSEEN = "Could not be read"
ORDER = (UNSEEN, LEFT_OUT, LOOK, GAIN)


@dataclass(slots=True)
class Notes:
    """Lines by topic."""

    lines: dict[str, list[str]] = field(default_factory=dict)

    def left_out(self, what: str, why: str) -> None:
        self.add(LEFT_OUT, f"{what}: {why}")

    def look(self, what: str, why: str) -> None:
        self.add(LOOK, f"{what}: {why}")

    def add(self, topic: str, line: str) -> None:
        lines = self.lines.setdefault(topic, [])
        if line not in lines:
            lines.append(line)

    def text(self) -> Iterator[str]:
        """Every topic with its lines."""
        for topic in ORDER:
            if lines := self.lines.get(topic):
                yield f"{topic}:"
                yield from (f"  - {line}" for line in lines)

"""How much memory and how many descriptors does a process take, with all its children?"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import Final

from attrs import define, field, frozen

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@frozen
class Sample:
    """What a process takes at one moment, and with its children."""

    rss_mb: float
    children_mb: float
    descriptors: int
    sockets: int
    processes: int


def sample(pid: int) -> Sample:
    """Look at a process and its children."""
    tree = _tree(pid)
    links = [link for each in tree for link in _links(each)]
    return Sample(
        rss_mb=_rss_bytes(pid) / 1e6,
        children_mb=sum(map(_rss_bytes, tree[1:])) / 1e6,
        descriptors=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        processes=len(tree),
    )


@define
class Watch:
    """Samples, one after the other."""

    samples: list[Sample] = field(factory=list)

    def quarters(self, name: str) -> tuple[float, ...]:
        """Give the median of each quarter of the time."""
        values = [getattr(each, name) for each in self.samples]
        size = max(1, len(values) // 4)
        parts = [values[place * size : (place + 1) * size] for place in range(4)]
        return tuple(median(part) if part else 0.0 for part in parts)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for thread in _listed(Path(f"/proc/{pid}/task")):
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
        except OSError:
            continue
        for child in children.split():
            found += _tree(int(child))
    return found


def _rss_bytes(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * _PAGE_BYTES


def _links(pid: int) -> list[str]:
    links = []
    folder = Path(f"/proc/{pid}/fd")
    for name in _listed(folder):
        try:
            links.append(str((folder / name).readlink()))
        except OSError:
            continue  # closed since
    return links


def _listed(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except OSError:
        return []

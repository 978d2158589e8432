"""Parts of pages that are made from what the code says, between two marks.

A page has `<!-- generated: NAME -->` and `<!-- end -->` around each; a test holds it to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def embedded(page: str, parts: Mapping[str, str]) -> str:
    """Give the page with every generated part made anew."""
    for mark, text in parts.items():
        place = re.compile(rf"(<!-- generated: {mark} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        found = place.search(page)
        assert found is not None, f"the page has no place for {mark}"
        page = page[: found.start()] + found[1] + text + found[2] + page[found.end() :]
    return page

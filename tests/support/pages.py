"""Pages of the documentation as GitHub shows them."""

from __future__ import annotations

import re


def anchors(text: str) -> set[str]:
    """Places in a page that a link can name: its headings, and those that it names itself."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a name="([^"]+)"></a>', text))

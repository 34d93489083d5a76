"""
Holds the built docs site to two promises: every link and anchor within it leads somewhere, and it loads nothing from
elsewhere.

    python .ci/check_site.py site
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

LOADS = {"src", "srcset", "data", "poster"}
LOADING_RELATIONS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
}
IN_STYLES = re.compile(r"(?:@import\s+|url\()\s*[\"']?(https?:)?//")


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up what the element refers to."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.loads += [values[name] for name in LOADS if name in values]
        href = values.get("href", "")
        if tag == "link" and LOADING_RELATIONS & set(values.get("rel", "").split()):
            self.loads.append(href)
        elif tag == "a" and href:
            self.links.append(href)


def main() -> int:
    """Check the site; return the exit status."""
    root = Path(sys.argv[1]).resolve()
    pages = {path: Page(path) for path in root.rglob("*.html")}
    wrong = [
        f"{path.relative_to(root)}: {fault}" for path, page in pages.items() for fault in faults(path, page, pages)
    ]
    wrong += [f"{path.relative_to(root)} loads from elsewhere" for path in root.rglob("*.css") if is_loading(path)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    links = sum(len(page.links) for page in pages.values())
    print(f"{root.name}/: {len(pages)} pages, {links:,} links, {len(wrong)} wrong")
    return 1 if wrong or not pages else 0


def faults(path: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    """Return what is wrong with one page."""
    elsewhere = [f"loads {one}" for one in page.loads if re.match(r"(https?:)?//", one)]
    within = [one for one in page.links if not re.match(r"[a-z]+:|//", one)]
    return elsewhere + [f"leads to {one}, which is not there" for one in within if not leads(path, one, pages)]


def leads(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Return whether the link leads to a file, and to an anchor in it."""
    target, anchor = urldefrag(unquote(link))
    file = (path.parent / target).resolve() if target else path
    return anchor in pages[file].anchors if file in pages else file.is_file() and not anchor


def is_loading(path: Path) -> bool:
    """Return whether a stylesheet loads something from elsewhere."""
    return bool(IN_STYLES.search(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())

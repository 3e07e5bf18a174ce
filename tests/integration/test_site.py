"""The documents as a site: `make docs`, then read as people do."""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Generator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import make_site
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browsing import CHROMIUM

ROOT = Path(__file__).parents[2]
SITE = ROOT / make_site.SITE

in_a_browser = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("zensical") is None,
    reason="needs Chromium, and what `make docs` installs",
)


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    """Of a page's links those to no file and to no anchor are told, and no others."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there/index.html").write_text('<h1 id="top">There</h1><img src="x">')
    (tmp_path / "index.html").write_text(
        '<a href="there/#top">1</a> <a href="there/#other">2</a>'
        ' <a href="nowhere/">3</a> <a href="https://example.org/#x">4</a>'
    )
    assert sorted(make_site.broken_links(tmp_path)) == [
        f"{tmp_path}/index.html: no such anchor: there/#other",
        f"{tmp_path}/index.html: no such page: nowhere/",
        f"{tmp_path}/there/index.html: no such page: x",
    ]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    """Build the site and serve it; give its address."""
    subprocess.run([sys.executable, "tools/make_site.py"], cwd=ROOT, check=True)
    handler = partial(_Quiet, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """Give Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def _pages() -> list[str]:
    names = sorted(SITE.rglob("index.html"))
    return [path.parent.relative_to(SITE).as_posix() for path in names]


def _opened(
    browser: Browser, address: str, width: int, scheme: Literal["light", "dark"]
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(f"{address}/")
    return page


@in_a_browser
@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(
    browser: Browser, address: str, width: int
) -> None:
    """On a phone and a desktop only tables and code scroll sideways.

    And no page asks a third party for anything, nor has an error in its scripts.
    """
    page = _opened(browser, address, width, "dark")
    foreign: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    wide: list[str] = []
    for name in _pages():
        page.goto(f"{address}/{name}/")
        root = "document.documentElement"
        if page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
            wide.append(name)
    assert len(_pages()) > 40
    assert wide == []
    assert complaints == []
    assert [url for url in foreign if not url.startswith(address)] == []


@in_a_browser
@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_can_be_read_by_day_and_by_night(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    """The page follows the system's scheme, and code stands out from its ground."""
    page = _opened(browser, address, 1280, scheme)
    light: list[float] = page.evaluate(
        """() => {
          const code = getComputedStyle(document.querySelector("pre code"));
          const canvas = document.createElement("canvas").getContext("2d");
          const luminance = (...colours) => {
            for (const colour of colours) {
              canvas.fillStyle = colour;
              canvas.fillRect(0, 0, 1, 1);
            }
            return canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)
              .reduce((sum, part) => sum + part / 765, 0);
          };
          const ground = getComputedStyle(document.body).backgroundColor;
          return [
            luminance(ground, code.backgroundColor),
            luminance(ground, code.backgroundColor, code.color),
          ];
        }"""
    )
    ground, text = light
    assert (ground > 0.8) == (scheme == "light")
    assert abs(ground - text) > 0.5


@in_a_browser
@pytest.mark.long
def test_a_method_is_found_by_search(browser: Browser, address: str) -> None:
    """Whoever types a method's name comes to it."""
    page = _opened(browser, address, 1280, "light")
    field = page.get_by_placeholder("Search")
    field.wait_for(state="attached")  # by the script that hears the keys
    page.keyboard.press("Control+k")
    field.fill("give_up_checkouts")
    page.locator("a[href*='store.Store.give_up_checkouts']").first.click()
    page.wait_for_url("**/docs/reference/store/**")


@in_a_browser
@pytest.mark.long
def test_diagrams_are_drawn(browser: Browser, address: str) -> None:
    """A diagram's source becomes a picture, by the script that the site brings."""
    page = _opened(browser, address, 1280, "light")
    page.goto(f"{address}/docs/architecture/")
    page.locator("div.mermaid").nth(1).wait_for()
    assert page.locator("pre.mermaid").count() == 0

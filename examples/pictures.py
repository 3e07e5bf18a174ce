"""Take the screenshots that the documents show; needs Chromium. `make pictures`."""

from __future__ import annotations

from pathlib import Path

from examples import demo
from postgres_testing import embedded
from tests.support import browsing

STUDIO = Path("docs/pictures/studio.png")


def main() -> None:
    """Show the demo's orders in the studio, and take a picture of it."""
    STUDIO.parent.mkdir(exist_ok=True)
    with embedded.start() as server:
        demo.demonstrate(server.url)
        with browsing.studio(server.url) as address, browsing.browser_page() as page:
            browsing.open_table(page, address, "orders")
            page.screenshot(path=STUDIO)


if __name__ == "__main__":
    main()

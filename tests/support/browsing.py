"""`make studio` as people use it: a process of its own, and a browser on its page."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

__all__ = ["CHROMIUM", "browser_page", "open_table", "studio"]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


# A background job's children begin with SIGINT ignored; this one heeds it.
_MAIN = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("store", run_name="__main__", alter_sys=True)
"""


@contextmanager
def studio(
    database_url: str, *, opened_by: Callable[[str], object] | None = None
) -> Generator[str]:
    """Serve the studio of a database until Ctrl-C ends it; give its address.

    With `opened_by`, which is called with its arguments, in place of no browser.
    """
    command = [sys.executable, "-c", _MAIN, "studio"]
    environment = {"DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
    if opened_by:
        # `webbrowser` runs what BROWSER names; `echo` writes it where we read.
        environment["BROWSER"] = "echo opened %s"
    else:
        command.append("--no-open")
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = _said(process, r"http://\S+")
            if opened_by:
                opened_by(_said(process, r"(?<=opened )\S+"))
            yield address
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def _said(process: subprocess.Popen[str], pattern: str) -> str:
    for line in process.stdout or ():
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError(f"the studio ended before it said {pattern}")


@contextmanager
def browser_page() -> Generator[Page]:
    """Open a page in Chromium, without a window."""
    # Without the sandbox, which root may not have.
    flags = ["--no-sandbox", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 480})
        finally:
            browser.close()


def open_table(page: Page, address: str, table: str) -> None:
    """Click on a table, and wait until its rows are there."""
    page.goto(address)
    page.get_by_text(table, exact=True).click()
    page.locator("td").first.wait_for()

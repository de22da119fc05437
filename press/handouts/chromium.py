"""Finding Chromium, and opening a page of the book in it until nothing moves any more."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "This needs Chromium, and none was found. Install it (on Debian and Ubuntu: apt-get install "
    "chromium fonts-noto-cjk) or set CHROMIUM to its path."
)


def chromium(playwright: Playwright) -> Browser:
    """Chromium, quiet and without a window.

    Raises:
        FileNotFoundError: there is none; says how to get one.
    """
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        raise FileNotFoundError(MISSING)
    return playwright.chromium.launch(executable_path=path, args=[
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ])  # fmt: skip


@contextmanager
def tabs() -> Iterator[Browser]:
    """A browser to open pages in."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        try:
            yield browser
        finally:
            browser.close()


def opened(tab: Page, file: Path) -> None:
    """Open a page from disk; wait for its fonts and pictures, and for MathJax if it needs it."""
    tab.set_default_timeout(120_000)  # the first page of a browser on a busy machine
    tab.goto(file.as_uri())
    tab.wait_for_function(
        "() => !window.MathJax || document.documentElement.dataset.math === 'done'"
    )
    tab.evaluate("""async () => {
      for (const image of document.images) {
        image.loading = "eager";
        await image.decode().catch(() => {});
      }
      await document.fonts.ready;
    }""")

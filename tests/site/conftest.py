"""The built site, a server for it, and a browser."""

import pytest
from playwright.sync_api import sync_playwright

from browser import serve
from press.handouts.chromium import chromium
from press.notebook import CHAPTERS, ROOT, notebooks


@pytest.fixture(scope="session")
def site():
    """The folder of the built site, which must be newer than all it is made of."""
    site = ROOT / "_build" / "html"
    sources = [file for folder in ("chapters", "press", "minigrad") for file in (ROOT / folder).rglob("*")
               if file.suffix in {".bib", ".yml", ".csv", ".html", ".css", ".js", ".svg", ".py"}]
    sources += [*notebooks(CHAPTERS), ROOT / "_config.yml", ROOT / "_toc.yml"]  # fmt: skip
    newest = max(file.stat().st_mtime for file in sources)
    index = site / "index.html"
    if not index.exists() or index.stat().st_mtime < newest:
        pytest.fail("The built site is missing or older than its sources: run `make book` first.")
    return site


@pytest.fixture(scope="session")
def address(site, tmp_path_factory):
    """Where the site is served: below a path, as GitHub Pages does it."""
    outer = tmp_path_factory.mktemp("served")
    (outer / "book").symlink_to(site)
    server = serve(outer)
    yield f"http://127.0.0.1:{server.server_port}/book"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def _reader(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def reader(_reader):
    """A tab that goes through the book page by page, and remembers nothing."""
    yield _reader
    _reader.evaluate("localStorage.clear()")

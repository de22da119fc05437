"""What we override of Jupyter Book, Sphinx and pybtex, each with its reason.

Jupyter Book 1 is made for its own theme, which loads some 500 kB of scripts and styles and asks
other servers for more. We keep its reading of ``_config.yml``, ``_toc.yml`` and notebooks, and
nothing of its pages.
"""

import functools
import os
import re
from pathlib import Path

import pybtex.plugin
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _file_checksum
from sphinx.environment import BuildEnvironment

#: Extensions that Jupyter Book loads for its own theme; the frame does what is needed of them.
UNUSED = ("sphinx_book_theme", "sphinx_comments", "sphinx_copybutton", "sphinx_thebe",
          "sphinx_togglebutton")  # fmt: skip

#: The assets of a page; all others belong to themes and extensions that are not used.
OURS = {"fonts.css", "book.css", "contents.css", "back.css", "book.js", "contents.js", "find.js",
        "theme.js", "filter.js"}  # fmt: skip

#: What is mended in the HTML of a page: (pattern, replacement), in this order.
MENDED = (
    # Sphinx writes sizes as a style that cannot shrink with the screen.
    (r'style="width: (\d+)px; height: (\d+)px;"', r'width="\1" height="\2"'),
    # myst-nb's label hides the words of the summary from screen readers.
    (r'<summary aria-label="[^"]*">', "<summary>"),
    # Markdown cannot write a table without a head; an empty one is removed.
    (r"<thead>\s*<tr[^>]*>(\s*<th[^>]*>(<p></p>)?</th>)+\s*</tr>\s*</thead>", ""),
    # A wide table scrolls by itself, and Sphinx gives it no box to scroll in.
    (r"<table\b", '<div class="scroll"><table'),
    (r"</table>", "</table></div>"),
)


def disconnect(app: Sphinx, config) -> None:
    """Keep what Jupyter Book configures for its theme from having any effect."""
    for listener in [one for many in app.events.listeners.values() for one in many]:
        if listener.handler.__module__.split(".")[0] in UNUSED:
            app.disconnect(listener.id)
    config.html_theme_options = {}  # of a theme that is not used
    config.html_domain_indices = False  # a page that nothing links to: the reference has its own
    config.nb_ipywidgets_js = {}  # would load widgets from another server


def number_nothing(app: Sphinx, config) -> None:
    """`press.numbers` counts figures, and equations are counted page by page; Sphinx would open
    every page for it whenever one has changed."""
    config.numfig = False


def keep_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Drop scripts and styles that the page does not use."""
    name = lambda asset: os.path.basename(str(getattr(asset, "filename", asset) or ""))  # noqa: E731
    for assets in ("css_files", "script_files"):
        context[assets] = [asset for asset in context[assets] if name(asset) in OURS]


def mend(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Apply `MENDED` to the body of a page."""
    if doctree is None:
        return
    body = context["body"]
    for pattern, better in MENDED:
        body = re.sub(pattern, better, body)
    context["body"] = body


def remove_pages(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Sphinx leaves what it made of chapters that are gone, and with other settings."""
    made = {*env.found_docs, *app.config.html_additional_pages}
    for left in Path(app.outdir).rglob("*.html"):
        page = left.relative_to(app.outdir).with_suffix("").as_posix()
        if page not in made and not page.startswith("_modules/"):
            for suffix in (".html", ".ipynb", ".png"):
                left.with_suffix(suffix).unlink(missing_ok=True)
    return []


def finish_always(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Sphinx copies style sheets and scripts only if there is a page to write."""
    return [app.config.root_doc]


def renew_checksums(app: Sphinx, error: Exception | None) -> None:
    """In the addresses of style sheets and scripts Sphinx writes what is in them, so that browsers
    ask for those that have changed; pages that need no writing get it here."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    new = {file.name: _file_checksum(out, f"_static/{file.name}")
           for file in (out / "_static").iterdir() if file.is_file()}  # fmt: skip
    for page in out.rglob("*.html"):
        head, end, body = page.read_text(encoding="utf-8").partition("</head>")
        renewed = re.sub(r"(/([\w.]+)\?v=)\w+", lambda m: m[1] + new[m[2]], head)
        if renewed != head:
            page.write_text(renewed + end + body, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    # For every citation pybtex seeks its plugins among all installed packages: a third of the time.
    pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)
    app.connect("config-inited", disconnect, priority=100)
    app.connect("config-inited", number_nothing, priority=900)  # Jupyter Book's LaTeX insists on it
    app.connect("html-page-context", keep_assets, priority=900)  # after everybody has added some
    app.connect("html-page-context", mend, priority=900)
    app.connect("env-get-outdated", remove_pages)
    app.connect("env-updated", finish_always)
    app.connect("build-finished", renew_checksums)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

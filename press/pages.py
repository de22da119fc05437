"""What is made of each page when it is written, one function a job: the frame's words, links to
places in it, its description, the notebook to download, the picture to
share.
"""

import re
from pathlib import Path
from urllib.parse import quote

import imagesize
from docutils import nodes
from sphinx.application import Sphinx

from minigrad.lab import sliders

from . import figures
from .bilingual import TWIN
from .cards import card, raster
from .contents import PREFIX, outline, plan
from .notebook import Notebook
from .numbers import chapter_number
from .plain import first_paragraph, shorten
from .shelf import BRANCH, Shelf
from .words import words

#: Links to what stands on the same page and is shown beside them (theme/previews.js).
PREVIEWED = re.compile(r'class="footnote-reference|="reference internal" href="#(equation|claim)-')

#: A formula among words, as HTML.
FORMULA = r'<span class="math [^>]*><mjx-container(?>(?s:.*?)</mjx-container></span>)'

# -- The document, before it becomes HTML


def name_part(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Say above a page's title which part it is in; readers see it, and so does the search."""
    for part in outline(app.config.external_site_map, app.config.book_edition):
        if part.caption and docname in {entry.name for entry in part.entries}:
            title, number = doctree.next_node(nodes.title), chapter_number(app, docname)
            text = f"{part.caption} {number}".rstrip()
            title.parent.insert(0, nodes.paragraph("", text, classes=["part"]))


def size_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Tell the browser a figure's size, so that nothing jumps when it is loaded (late)."""
    for image in doctree.findall(nodes.image):
        file = Path(app.srcdir, image["uri"])
        image["loading"] = "lazy"
        image["classes"].append("no-scaled-link")
        if "width" not in image and "height" not in image and file.is_file():
            width, height = imagesize.get(file)
            if width > 0:
                image["width"], image["height"] = str(width), str(height)


# -- The page


def fill_frame(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """What ``theme/templates/layout.html`` needs on every page, search and source code included."""
    language = app.config.book_edition
    context.update(
        words=words("page", language), edition=language, twin=None, notebook=None, card=None,
        slider=figures.is_slider(context.get("body", "")),
        folds='<details class="admonition hide' in context.get("body", ""),
        formulas="<mjx-container" in context.get("body", "") + context.get("brought", ""),
        previews=bool(context.get("brought") or PREVIEWED.search(context.get("body", ""))),
        minutes=app.env.metadata.get(pagename, {}).get("minutes"),
        base=app.config.html_baseurl.rstrip("/"),
    )  # fmt: skip
    if app.config.book_twin:
        up = "../" * pagename.count("/")
        context["twin"] = f"{up}../{TWIN[language]}/{pagename}.html"
        context["home"] = f"{up}index.html"


def link_places(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Headings, figures and claims say their address; marks stay with the formula before them."""
    if doctree is None:
        return
    label = f'aria-label="{context["words"]["permalink"]}"'
    for pattern, better in (
        (r'(class="headerlink" href="[^"]*") title="[^"]*"', rf"\1 {label}"),
        (r'(<div class="cell_output[^>]* id="(figure-[^"]*)">)',
         rf'\1<a class="headerlink" href="#\2" {label}>#</a>'),
        (r'(<div [^>]*id="(claim-[^"]*)"(?s:.*?))(</p>)',
         rf'\1<a class="headerlink" href="#\2" {label}>#</a>\3'),
        # A browser would break the line between a formula and its brackets, or the comma after it.
        (rf'([（“「(]+{FORMULA}[，。；：、？！）”」,.;:?!)]*|{FORMULA}[，。；：、？！）”」,.;:?!)]+)',
         r'<span class="tie">\1</span>'),
    ):  # fmt: skip
        context["body"] = re.sub(pattern, better, context["body"])


def draw_figures(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Figures become a part of the page."""
    if doctree:
        context["body"] = figures.inline(context["body"])


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """The description that search engines show."""
    if doctree is not None:
        context["description"] = shorten(first_paragraph(doctree), 160)


def offer_notebook(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """The edition's notebook beside the page, and where it can be run; where its source is."""
    source = Path(app.env.doc2path(pagename)) if doctree else Path()
    if source.suffix != ".ipynb":
        return
    config, page = app.config, pagename.removeprefix(PREFIX)
    made_from = source.with_suffix(".md")
    path = made_from if made_from.exists() else source
    path = path.relative_to(config.book_root if config.book_twin else app.srcdir).as_posix()
    notebook = f"{config.book_edition}/{page}.ipynb"
    context.update(repository_links(config.book_repository, config.book_branch, path, notebook))
    if not (book := Notebook(source)).code:
        return
    download = Path(app.outdir, f"{pagename}.ipynb")
    write(download, shelf(app).notebook(page, book).encode())
    context["notebook"] = download.name


def shelf(app: Sphinx) -> Shelf:
    """What notebooks refer to, as it is numbered on the pages."""
    config, language = app.config, app.config.book_edition
    known = {page.removeprefix(PREFIX): one for page, one in app.env.metadata.items()}
    equations = app.env.get_domain("math").equations
    return Shelf(
        language, plan(config.external_site_map.meta),
        app.env.get_domain("cite").bibdata.data.entries,
        config.html_baseurl.rstrip("/") and f"{config.html_baseurl.rstrip('/')}/{language}",
        config.book_repository, True,
        {page: one["headings"][language] for page, one in known.items() if "headings" in one},
        {label: (page.removeprefix(PREFIX), n) for label, (page, n) in equations.items()},
        {page: one.get("places", {}) for page, one in known.items()},
        {page for page, one in known.items() if one.get("runnable")},
    )  # fmt: skip


def share(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """The picture that a link to the page shows elsewhere; needs the address of the book."""
    target = Path(app.outdir, f"{pagename}.png")
    target.unlink(missing_ok=True)
    if doctree and context["base"] and (svg := figures.first(context["body"])):
        context["card"] = f"{pagename}.png"
        write(target, card(raster(svg)))


def write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


# -- Helpers


def mistakes(repository: str, path: str) -> str | None:
    """Where to tell of a mistake, if the address of the source is known."""
    about = f"?title={quote(path + ': ', safe='')}" if path else ""
    return f"{repository.removesuffix('.git')}/issues/new{about}" if repository else None


def repository_links(repository: str, branch: str, path: str, notebook: str) -> dict:
    """Where a page's source is and can be changed, where to tell of a mistake in it, and where the
    notebook of its edition can be run. The paths are GitHub's, which GitLab understands too."""
    found = {"source": None, "edit": None, "places": [], "repository": repository}
    found["mistake"] = mistakes(repository, path)
    if repository:
        for kind, name in (("blob", "source"), ("edit", "edit")):
            found[name] = f"{repository.removesuffix('.git')}/{kind}/{branch}/{quote(path)}"
    if github := re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?", repository):
        where = f"{github[1]}/blob/{BRANCH}/{quote(notebook)}"
        tree = f"{BRANCH}?urlpath=lab/tree/{quote(notebook)}"
        found["places"] = [
            ("Colab", f"https://colab.research.google.com/github/{where}"),
            ("Binder", f"https://mybinder.org/v2/gh/{github[1]}/{tree}"),
        ]
    return found


def add_scripts(app: Sphinx, error: Exception | None) -> None:
    """Copy the sliders' files into ``_static``."""
    if error or app.builder.format != "html":
        return
    for kind in ("js", "css"):
        file = sliders.HERE / f"slider.{kind}"
        write(Path(app.outdir, "_static", file.name), file.read_bytes())


def setup(app: Sphinx) -> dict:
    app.connect("doctree-resolved", name_part)
    app.connect("doctree-resolved", size_images)
    jobs = fill_frame, link_places, share, draw_figures, describe, offer_notebook  # in this order
    for job in jobs:
        app.connect("html-page-context", job, priority=900)
    app.connect("build-finished", add_scripts)
    app.add_css_file("fonts.css")
    app.add_css_file("book.css")
    app.add_js_file("theme.js")
    app.add_js_file("book.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

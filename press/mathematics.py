r"""Formulas, typeset when the book is built, by MathJax itself.

A browser that has to typeset a chapter shows raw TeX for seconds and moves the text when it is
done; typeset before, a page needs neither script nor waiting, and a formula that TeX refuses is a
fault of the build. MathJax's HTML looks better than MathML or KaTeX, and gives screen readers
MathML as well. MathJax runs in V8, which comes in a Python package.

A formula is typeset once, until `VERSION` changes (`press.kept`). Style sheet and fonts have the
glyphs of the pages that are there, also of those that an earlier build has written.

What pages still load is ``theme/mathematics.js``: it asks for the fonts early, and copies a formula
as TeX.
"""

import atexit
import html
import io
import json
import re
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from . import breaks, kept
from .bilingual import TWIN
from .notebook import Notebook, languages

logger = logging.getLogger(__name__)

MATHJAX = Path(__import__("sphinx-mathjax-offline").__file__).parent / "static" / "mathjax"
FONTS = "mathematics"  # their folder beside the style sheet, in _static
PARTS = ("core", "adaptors/liteDOM", "input/tex-full", "output/chtml", "output/chtml/fonts/tex",
         "a11y/assistive-mml")  # fmt: skip
SETTINGS = {
    "startup": {"typeset": False},
    # Without `noundefined`, which makes an unknown command red text instead of an error.
    "tex": {"packages": ["base", "ams", "newcommand", "boldsymbol"]},
    # Glyphs at the size of the text beside them; `\text` in the font of the page (book.css).
    "chtml": {"scale": 1.08, "mtextFont": "inherit", "fontURL": FONTS, "adaptiveCSS": False},
}
START = """
MathJax = SETTINGS;
MathJax.loader = {paths: {mathjax: "."}, load: Object.keys(FILES),
  require: (name) => (0, eval)(FILES[name.slice(2).replace(/[.]js$/, "")])};
(0, eval)(STARTUP);
typeset = (tex, display) =>
  MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml(tex, {display, em: 16, ex: 8}));
styles = () => MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet());
0
"""

#: MathJax aligns everything by a font without height. Until that has come, a font of the machine
#: serves, with its height taken away: nothing moves.
STRUT = """
@font-face {
  font-family: MJXSTRUT;
  src: local("Arial"), local("Roboto"), local("Liberation Sans"), local("DejaVu Sans");
  ascent-override: 0%;
  descent-override: 0%;
  line-gap-override: 0%;
  unicode-range: U+20;
}
"""

#: What MathJax says of every formula and its style sheet can say once; its guesses at the widths of
#: words, which browsers know better: (pattern, replacement).
SLIMMER = (
    (r' class="MathJax" jax="CHTML" style="[^"]*"', ""),
    (r' xmlns="[^"]*"| data-mjx-texclass="\w+"| unselectable="on"| variant="-explicitFont"', ""),
    (r'(<mjx-mtext) style="font-family:[^"]*"', r"\1"),
    (r'(<mjx-utext[^>]* style="[^"]*?)\bwidth: \d+px;?', r"\1"),
    (r' style=" *"| display="inline"', ""),
    (r' class=" ', ' class="'),
)

#: Characters of TeX from which on a formula in the text may be wider than a phone.
LONG = 40

#: What the typeset formulas depend on.
VERSION = " ".join([
    version("sphinx-mathjax-offline"), version("mini-racer"),
    *(sha256(Path(file).read_bytes()).hexdigest()[:16] for file in (__file__, breaks.__file__)),
])  # fmt: skip


class MathJax:
    """MathJax, running in a V8 of its own."""

    def __init__(self) -> None:
        self.js = MiniRacer()
        atexit.register(self.js.close)  # Python cannot end while it is open
        read = lambda name: (MATHJAX / f"{name}.js").read_text(encoding="utf-8")  # noqa: E731
        given = {
            "FILES": {part: read(part) for part in PARTS}, "STARTUP": read("startup"),
            "SETTINGS": SETTINGS,
        }  # fmt: skip
        self.js.eval("".join(f"{name} = {json.dumps(it)};" for name, it in given.items()) + START)

    def typeset(self, tex: str, display: bool) -> str:
        """A formula as HTML.

        Raises:
            ValueError: it is not TeX, as far as MathJax knows; the message says why.
        """
        made = self.js.call("typeset", tex, display)
        if error := re.search(r'data-mjx-error="([^"]*)"', made):
            raise ValueError(html.unescape(error[1]))
        for pattern, better in SLIMMER:
            made = re.sub(pattern, better, made)
        return breaks.breakable(made) if display or len(tex) >= LONG else made

    @property
    def styles(self) -> str:
        """The style sheet, with every glyph that MathJax has."""
        sheet = self.js.call("styles").replace('[jax="CHTML"]', "") + "\n"
        return STRUT + sheet.replace("MJXZERO, ", "MJXZERO, MJXSTRUT, ")


class Formulas:
    """The formulas of the book as its pages show them: Sphinx's hooks, and what is kept."""

    def open(self, app: Sphinx) -> None:
        self.edition, self.root = app.config.book_edition, app.config.book_root

    @cached_property
    def mathjax(self) -> MathJax:
        return MathJax()  # only when there is something new

    def typeset(self, node: nodes.Element, tex: str, display: bool) -> str:
        """A formula of the book as HTML that knows its TeX; one with an error is reported."""
        key = f"{'display' if display else 'inline'} {tex}"
        try:
            made = kept.made(self.root, key, VERSION, lambda: self.mathjax.typeset(tex, display))
        except ValueError as error:
            said = node.astext().strip()
            logger.warning(
                "%s in the formula %s", error, said, location=place(node, self.edition), type="book"
            )  # fmt: skip
            return f"<code>{html.escape(said)}</code>"
        return made.replace(">", f' data-tex="{html.escape(node.astext().strip())}">', 1)

    def visit_math(self, translator, node: nodes.math) -> None:
        translator.body += [
            translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"),
            self.typeset(node, node.astext(), False), "</span>",
        ]  # fmt: skip
        raise nodes.SkipNode

    def visit_math_block(self, translator, node: nodes.math_block) -> None:
        body = translator.body
        body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
        if node["number"]:
            body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
            translator.add_permalink_ref(node, "")  # press/pages.py says what it is
            body.append("</span>")
        tex = node.astext() if node["nowrap"] else lines(node.astext())
        body += [self.typeset(node, tex, True), "</div>\n"]
        raise nodes.SkipNode

    def finish(self, app: Sphinx, error: Exception | None) -> None:
        """Write the style sheet and the fonts, with what the pages use of them."""
        if not error and app.builder.format == "html":
            out = Path(app.outdir, "_static")
            pages = (page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html"))
            used = {glyph for page in pages for glyph in re.findall(r"mjx-c[0-9A-F]+", page)}
            every = kept.made(self.root, "style sheet", VERSION, lambda: self.mathjax.styles)
            sheet = only(used, every)
            (out / "mathematics.css").write_text(sheet, encoding="utf-8")
            (out / FONTS).mkdir(exist_ok=True)
            drawn = characters(sheet)
            of = kept.digest(VERSION, str(sorted(drawn)))
            for font in (MATHJAX / "output" / "chtml" / "fonts" / "woff-v2").iterdir():
                name = f"{font.name} {self.edition}"
                few = kept.made(self.root, name, of, partial(subset, font, drawn))
                (out / FONTS / font.name).write_bytes(few)
        if "mathjax" in vars(self):
            self.mathjax.js.close()


def lines(tex: str) -> str:
    """The TeX of a display: several lines are aligned, as Sphinx does it."""
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    split = r"\begin{split}%s\end{split}"
    parts = [split % part if r"\\" in outside(part) else part for part in parts]
    whole = r"\\".join(parts)
    return whole if len(parts) < 2 else rf"\begin{{aligned}}{whole}\end{{aligned}}"


def outside(tex: str) -> str:
    r"""TeX without its environments.

    >>> outside(r"a = \begin{cases} b \\ c \end{cases} d")
    'a =  d'
    """
    return re.sub(r"(?s)\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", tex)


def only(used: set[str], sheet: str) -> str:
    """A style sheet without the rules of glyphs that no page has.

    >>> only({"mjx-c2B"}, ".mjx-c2B::before {\\n  a\\n}\\n\\n.mjx-c2D::before {\\n  b\\n}\\n")
    '.mjx-c2B::before {\\n  a\\n}\\n'
    """
    rules = re.findall(r"(?ms)^\S.*?^}\n", sheet)
    return "".join(rule for rule in rules if used.issuperset(re.findall(r"mjx-c[0-9A-F]+", rule)))


def characters(sheet: str) -> set[int]:
    r"""The code points that the rules of a style sheet draw.

    >>> characters(r'a { content: "\221A" } b { content: "x" }') == {0x221A, ord("x")}
    True
    """
    found = re.findall(r'content: "(?:\\([0-9A-F]+)|\\?(.))"', sheet)
    return {int(code, 16) if code else ord(sign) for code, sign in found}


def subset(font: Path, characters: set[int]) -> bytes:
    """A font with some characters only: equal sets give equal fonts."""
    whole, buffer = TTFont(font, recalcTimestamp=False), io.BytesIO()
    if "Zero" not in font.name:  # it has no glyphs: what counts is its size
        options = Options(layout_features=[], notdef_outline=True)
        options.drop_tables.append("FFTM")
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=characters)
        subsetter.subset(whole)
    whole.flavor = "woff"
    whole.save(buffer)
    return buffer.getvalue()


def place(node: nodes.Node, edition: str) -> str:
    """Where an author finds a node: the line in the chapter's text, or what is known of it."""
    while node.line is None and node.parent is not None:
        node = node.parent
    path, line = Path(node.source or ""), node.line or 0
    if path.suffix != ".ipynb" or line < 10000:
        return f"{node.source}:{line}"
    cell, line = divmod(line, 10000)  # as MyST-NB counts, from 1 and from 0
    book, text = Notebook(path), path.with_suffix(".md")
    from . import lint  # for a fault only: a change of it is no reason to read chapters again

    cell = [i for i, one in book.cells if TWIN[edition] not in languages(one)][cell - 1]
    begins = lint.lines(text.read_text(encoding="utf-8"), book) if text.exists() else {}
    return f"{text}:{begins[cell] + line}" if cell in begins else f"{path}: cell {cell}"


def setup(app: Sphinx) -> dict:
    formulas = Formulas()
    app.add_config_value("book_mathematics", VERSION, "html")
    app.add_html_math_renderer(
        "book", (formulas.visit_math, None), (formulas.visit_math_block, None)
    )
    app.connect("builder-inited", formulas.open)
    app.connect("build-finished", formulas.finish)
    # V8 runs in threads, which do not survive a fork.
    return {"parallel_read_safe": True, "parallel_write_safe": False, "version": "1"}

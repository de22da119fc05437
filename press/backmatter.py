"""The back matter: pages that are gathered when the book is built, so that nobody has to type them.

Five directives, each used on a page of its own in ``chapters/back``:

- ``{claims}``: the ledger, every claim of the book with its measured verdict;
- ``{terms}``: the glossary, with the place where each term is first used;
- ``{works}``: the bibliography, with the places where each work is cited;
- ``{api} minigrad.optim``: the reference of a module, from its docstrings (Sphinx's autodoc);
- ``{benchmarks} training``: what the last whole run of ``make bench`` measured.

The first three go through the chapters in the order of ``_toc.yml``, so a new chapter appears in
them by itself. Part of the extension :mod:`press.editions`.
"""

import csv
import html
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType

from docutils import nodes
from docutils.statemachine import StringList
from pybtex.plugin import find_plugin
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.api import FileItem

import minigrad
from benchmarks import report
from minigrad.lab.claims import VERDICTS

from .editions import edition
from .glossary import GLOSSARY, glossary
from .markdown import citations, prose
from .notebook import ROOT, TWIN, Notebook

RESULTS = ROOT / "benchmarks" / "results.json"  # of the last whole `make bench`
NAMES = ROOT / "tests" / "names.csv"  # every public name with its reference, chapter and test

WORDS = {
    "zh": {
        "show": "只看",
        "all": "全部",
        "measured": "看实测",
        "term": ["中文", "英文", "首次使用"],
        "cited": "引用于",
        "comma": "、",
        "workload": "任务",
        "Parameters": "参数",
        "Attributes": "属性",
        "Returns": "返回",
        "Raises": "异常",
        "Shape": "形状",
        "Memory": "内存",
        "Reference": "文献",
        "Chapter": "推导",
        "Equal to": "对照",
        "Test": "测试",
    },
    "en": {
        "show": "Show",
        "all": "All",
        "measured": "See it measured",
        "term": ["English", "Chinese", "First used in"],
        "cited": "Cited in",
        "comma": ", ",
        "workload": "Workload",
        "Chapter": "Derived in",
        "Equal to": "Compared with",
        "Test": "Tested by",
    },
}


# --- Chapters and the places in them -----------------------------------------------------------


def _plain(text: str) -> str:
    return re.sub(r"[-–\s]+", " ", text).lower()


@dataclass(frozen=True)
class Chapter:
    """A notebook of the book: ``name`` is Sphinx's docname."""

    name: str
    path: Path

    @cached_property
    def notebook(self) -> Notebook:
        return Notebook(self.path)

    @cached_property
    def words(self) -> list[tuple[str | None, str, str]]:
        """The passages as terms are looked up in them."""
        passages = self.notebook.passages()
        return [(anchor, _plain(prose(zh)), _plain(prose(en))) for anchor, zh, en in passages]


class Gathered(SphinxDirective):
    """A directive that looks at every chapter; its page is read again when one of them changes."""

    @property
    def language(self) -> str:
        return edition(self.env.app)

    @property
    def words(self) -> dict:
        return WORDS[self.language]

    def parts(self) -> list[tuple[str | None, list[Chapter]]]:
        """The parts of the book with their chapters, in the order of ``_toc.yml``."""
        site, parts = self.config.external_site_map, []
        back = Path(self.env.doc2path(self.env.docname)).parent  # is not gathered itself
        self.env.note_dependency(self.config.external_toc_path)

        def below(name: str) -> Iterator[Chapter]:
            path = Path(self.env.doc2path(name))
            if path.suffix == ".ipynb" and path.parent != back:
                self.env.note_dependency(str(path))
                yield Chapter(name, path)
            for tree in site[name].subtrees if name != site.root.docname else ():
                for item in filter(lambda item: isinstance(item, FileItem), tree.items):
                    yield from below(item)

        parts.append((None, list(below(site.root.docname))))
        for tree in site.root.subtrees:
            files = [item for item in tree.items if isinstance(item, FileItem)]
            parts.append((tree.caption, [chapter for file in files for chapter in below(file)]))
        return parts

    def chapters(self) -> list[Chapter]:
        return [chapter for _, chapters in self.parts() for chapter in chapters]

    def title(self, chapter: Chapter) -> list[nodes.Node]:
        found, _ = self.state.inline_text(chapter.notebook.headings(self.language)[0], self.lineno)
        return found

    def link(
        self, chapter: Chapter, anchor: str | None, content: Iterable[nodes.Node] = (), **attributes
    ) -> nodes.reference:
        """A link to a place in a chapter; without content it says the chapter's title."""
        uri = self.env.app.builder.get_relative_uri(self.env.docname, chapter.name)
        content = list(content) or self.title(chapter)
        uri += f"#{anchor}" if anchor else ""
        return nodes.reference("", "", *content, refuri=uri, internal=True, **attributes)


def raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


# --- The ledger of claims ----------------------------------------------------------------------


def sentence(claim: str) -> list[nodes.Node]:
    """The text of a claim, which is HTML, as nodes: then the search finds it."""
    pieces = re.split(r'<span class="math[^>]*>\\\((.*?)\\\)</span>', claim)
    pieces = [html.unescape(piece) for piece in pieces]
    return [nodes.math("", tex) if n % 2 else nodes.Text(tex) for n, tex in enumerate(pieces)]


class Ledger(Gathered):
    def run(self) -> list[nodes.Node]:
        body, verdicts = [], []
        for caption, chapters in self.parts():
            found = [(chapter, chapter.notebook.claims) for chapter in chapters]
            found = [(chapter, lines) for chapter, lines in found if lines]
            if not found:
                continue
            part = nodes.section(ids=[f"part-{nodes.make_id(chapters[0].name)}"], classes=["made"])
            part += nodes.title("", caption or self.config.html_title)
            for chapter, lines in found:
                section = nodes.section(ids=[nodes.make_id(chapter.name)], classes=["made"])
                section += nodes.title("", "", *self.title(chapter))
                for line in lines:
                    section += self.line(chapter, line)
                    verdicts.append(line.verdict)
                part += section
            body.append(part)
        return [raw(self.filter(verdicts)), *body]

    def line(self, chapter: Chapter, claim) -> list[nodes.Node]:
        text = nodes.paragraph()
        text += nodes.strong("", VERDICTS[claim.verdict][self.language])
        text += [nodes.Text(" "), *sentence(getattr(claim, self.language)), nodes.Text(" ")]
        anchor = f"claim-{claim.name}"
        text += self.link(chapter, anchor, [nodes.Text(self.words["measured"])])
        head = f'<div class="claim" id="{anchor}" data-verdict="{claim.verdict}">'
        return [raw(head), text, raw("</div>")]

    def filter(self, verdicts: list[str]) -> str:
        """Which verdicts to show: radio buttons, and the style sheet does the rest."""
        choices = {"all": (self.words["all"], len(verdicts))} | {
            key: (names[self.language], verdicts.count(key)) for key, names in VERDICTS.items()
        }
        buttons = "".join(
            f'<label><input type="radio" name="verdict" value="{key}"'
            f'{" checked" if key == "all" else ""}> {name} <b>{count}</b></label>'
            for key, (name, count) in choices.items()
        )
        legend = f"<legend>{self.words['show']}</legend>"
        return f'<fieldset class="verdicts">{legend}{buttons}</fieldset>'


# --- The glossary ------------------------------------------------------------------------------


def spellings(term: str) -> list[str]:
    """The forms in which a term of the glossary may stand in a text.

    >>> spellings("vector-Jacobian product (VJP)")
    ['vector jacobian product', 'vjp']
    """
    return [_plain(form.strip()) for form in re.split(r" / |[（(]|[）)]", term) if form.strip()]


def first_use(row: dict, chapters: Iterable[Chapter]) -> tuple[Chapter, str | None] | None:
    """Where both languages first use a term at the same place: the chapter and the anchor there."""
    for chapter in chapters:
        for anchor, zh, en in chapter.words:
            if any(form in zh for form in spellings(row["zh"])) and any(
                re.search(rf"\b{re.escape(form)}", en) for form in spellings(row["en"])
            ):
                return chapter, anchor
    return None


def alphabetical(term: str, language: str) -> tuple[str, ...]:
    """The key by which terms are sorted: English by letters, Chinese by pinyin.

    >>> sorted(["熵", "KL 散度", "重球法", "参数"], key=lambda term: alphabetical(term, "zh"))
    ['参数', 'KL 散度', '熵', '重球法']
    """
    if language == "en":
        return (term.lower(),)
    from pypinyin import Style, lazy_pinyin  # loads its dictionaries: only when they are needed

    return tuple(syllable.lower() for syllable in lazy_pinyin(term, style=Style.TONE3))


class Terms(Gathered):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(GLOSSARY))
        first, second = (self.language, TWIN[self.language])
        chapters = self.chapters()[1:]  # the preface tells of everything and explains nothing
        rows = [(alphabetical(row[first], first), row) for row in glossary()]
        body, letter = nodes.tbody(), None
        for key, row in sorted(rows, key=lambda pair: pair[0]):
            if key[0][0].upper() != letter:
                letter = key[0][0].upper()
                entry = nodes.entry("", nodes.paragraph("", letter), morecols=2)
                body += nodes.row("", entry, classes=["letter"])
            place = first_use(row, chapters)
            twin = nodes.inline("", row[second], classes=[f"language-{second}"])
            cells = [nodes.Text(row[first])], [twin], [self.link(*place)] if place else []
            body += line(*cells, ids=[f"term-{nodes.make_id(row['en'])}"])
        head = nodes.thead("", line(*[[nodes.Text(words)] for words in self.words["term"]]))
        group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in cells], head, body, cols=3)
        return [nodes.table("", group)]


def line(*cells: Iterable[nodes.Node], **attributes) -> nodes.row:
    """A line of a table."""
    entries = [nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells]
    return nodes.row("", *entries, **attributes)


# --- The bibliography --------------------------------------------------------------------------


class Works(Gathered):
    def run(self) -> list[nodes.Node]:
        bibliography = self.env.get_domain("cite").bibdata.data
        for file in self.config.bibtex_bibfiles:
            self.env.note_dependency(self.env.relfn2path(file, self.config.root_doc)[1])
        places: dict[str, list[nodes.reference]] = {}
        for chapter in self.chapters():
            cited = {}
            for anchor, zh, _ in chapter.notebook.passages():
                for key in citations(zh):
                    cited.setdefault(key, anchor)
            for key, anchor in cited.items():
                places.setdefault(key, []).append(self.link(chapter, anchor))
        style = find_plugin("pybtex.style.formatting", self.config.bibtex_default_style)()
        backend = find_plugin("pybtex.backends", "docutils")()
        body = []
        for entry in style.format_entries(bibliography.entries.values(), bibliography):
            work = nodes.paragraph("", "", *entry.text.render(backend), ids=[entry.key])
            body.append(work)
            if links := places.get(entry.key):
                where = nodes.inline("", f"{self.words['cited']} ", classes=["cited"])
                for n, link in enumerate(links):
                    where += [nodes.Text(self.words["comma"])] * (n > 0) + [link]
                work += [nodes.Text(" "), where]
        return [nodes.container("", *body, classes=["works"])]


# --- The benchmarks ----------------------------------------------------------------------------

CHINESE = {  # for what `benchmarks` says in English
    "Hessian times vector, MLP 64-128-64-10 with tanh, batch 64":
        "Hessian 乘向量，MLP 64-128-64-10，tanh，批量 64",
    "50 layers of 64, layer norm, batch 64": "50 层，宽 64，层归一化，批量 64",
    "block of width 64, 4 heads, batch 8, length 32":
        "Transformer 的一块，宽 64，4 个头，批量 8，长 32",
    "Adam on Rosenbrock's function": "Rosenbrock 函数上的 Adam",
    "Most memory while training the wide MLP, beyond modules and data:":
        "训练宽的 MLP 时最多占用的内存，模块与数据本身不计：",
    "Time to import:": "导入所需的时间：",
    "NumPy by hand": "手写 NumPy", "NumPy plainly": "NumPy 平常写法", "NumPy alone": "只有 NumPy",
    "JAX compiled": "JAX（编译）", "PyTorch fused": "PyTorch（融合）",
    "recursion too deep": "递归太深", "a chain of ": "一串 ", " operations": " 次运算",
    ", batch ": "，批量 ",
    ", 10 parameters": "，10 个参数", ", 10,000 parameters": "，10,000 个参数",
    ", 10,000,000 parameters": "，10,000,000 个参数",
    "| processor |": "| 处理器 |", "| cores |": "| 核数 |", "| system |": "| 系统 |",
    "| threads |": "| 线程 |", "| versions |": "| 版本 |", "| clock |": "| 计时 |",
    "| BLAS of NumPy |": "| NumPy 的 BLAS |", "| load at start |": "| 开始时的负载 |",
    "| load at end |": "| 结束时的负载 |",
}  # fmt: skip


class Benchmarks(SphinxDirective):
    """``{benchmarks} training``: a section of benchmarks/results.json, as tables."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(RESULTS))
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        section = self.arguments[0]
        if section == "machine":
            rows = (f"| {key} | {value} |" for key, value in results["machine"].items())
            lines = ["| | |", "|---|---|", *rows]
        elif section == "processes":
            lines = [*report.process_tables(results["workloads"][section])][1:]  # without heading
        else:
            lines = [*report.ratio_table(results["workloads"][section], "minigrad", over=False)]
        first = WORDS[edition(self.env.app)]["workload"]  # a head cell must not be empty
        text = re.sub(r"(?m)^\|  \|", f"| {first} |", "\n".join(lines))
        if edition(self.env.app) == "zh":
            for english, chinese in CHINESE.items():
                text = text.replace(english, chinese)
        node = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines()), 0, node)
        return node.children


# --- The reference of minigrad -----------------------------------------------------------------


def public_modules() -> dict[str, ModuleType]:
    """minigrad, and its modules that say what in them is public."""
    inside = {name: getattr(minigrad, name) for name in minigrad.__all__}
    return {"minigrad": minigrad} | {
        f"minigrad.{name}": thing for name, thing in inside.items()
        if isinstance(thing, ModuleType) and hasattr(thing, "__all__")
    }  # fmt: skip


def public(module: ModuleType) -> dict[str, str]:
    """The public names of a module, and under which full name each is documented.

    What several modules offer is documented where it is defined (a file of a package belongs to the
    package), if that is one of them, and what has two names under the one it was defined with.
    """
    found = {}
    for name in module.__all__:
        thing = getattr(module, name)
        if not isinstance(thing, ModuleType):
            package = thing.__module__.rpartition(".")[0]
            home = public_modules().get(thing.__module__) or public_modules().get(package)
            if home is None or thing.__name__ not in home.__all__:
                home = module
            found[name] = f"{home.__name__}.{thing.__name__}"
    return found


class Api(Gathered):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(self.config.external_toc_path)
        self.env.note_dependency(str(NAMES))
        module = public_modules()[self.arguments[0]]
        names = public(module)
        here = {name for name, home in names.items() if home == f"{module.__name__}.{name}"}
        domain = self.env.get_domain("py")
        for name in names.keys() - here:
            thing = getattr(module, name)
            kind = "class" if inspect.isclass(thing) else "function"
            domain.note_object(f"{module.__name__}.{name}", kind, names[name], aliased=True)
        links = " · ".join(f":py:obj:`{name} <{names[name]}>`" for name in sorted(names))
        members = f".. automodule:: {module.__name__}\n   :members: {', '.join(sorted(here))}\n"
        return self.parse_rst(f"{links}\n\n{members}")

    def parse_rst(self, text: str) -> list[nodes.Node]:
        node = nodes.Element()
        self.state.nested_parse(StringList(f"```{{eval-rst}}\n{text}```".splitlines()), 0, node)
        return node.children


def inline(text: str) -> str:
    """A piece of a docstring's prose as reStructuredText: its formulas, names and code.

    >>> print(inline("the `lr`, `x = 1`, and $x_1$*2"))
    the :py:obj:`lr`, ``x = 1``, and :math:`x_1`\\ \\*2
    """

    def translate(found: re.Match) -> str:
        display, formula, name, code, sign = found.groups()
        if display:
            return f"\n\n.. math::\n\n{indent(dedent(display).strip(), '   ')}\n\n"
        if sign:
            return f"\\{sign}"
        role = f":math:`{formula}`" if formula else f":py:obj:`{name}`" if name else f"``{code}``"
        apart = "\\ "  # which reStructuredText wants between markup and a word, and drops
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        return apart * before.isalnum() + role + apart * bool(re.match(r"[\w*|]", after))

    signs = r"[*|\\]|_(?!\w)"
    marks = rf"\$\$(.+?)\$\$|\$([^$]+)\$|`([A-Za-z_][\w.]*)`|`([^`]+)`|({signs})"
    return re.sub(marks, translate, text, flags=re.S)


def field(name: str, body: str) -> str:
    return f":{name}:\n{indent(body, '    ')}\n"


def entries(text: str) -> str | None:
    """``name: what it is``, line by line, as a definition list; None if it is no such thing."""
    lines = re.split(r"\n(?=\S)|(?<=\.)\s+(?=\w+Error: )", text)
    found = [re.match(r"([\w*]+(?:, [\w*]+)*): (.+)", line, flags=re.S) for line in lines]
    if not all(found):
        return None
    flush = lambda what: re.sub(r"(?m)^ +", "", what)  # noqa: E731
    items = []
    for names, what in (one.groups() for one in found):
        items.append(f"``{names}``\n{indent(inline(flush(what)), '    ')}")
    return "\n".join(items)


def docstring(text: str, words: dict) -> str:
    """One of minigrad's docstrings as reStructuredText.

    They are prose with ``$formulas$``, `` `names` `` and examples; parts that are headed and
    underlined (Parameters, Raises, …) or that begin with a word and a colon (Shape, Memory,
    Reference) become fields.
    """
    text = re.sub(r"\s*(?:Derived|First used)[^`]*(?:`chapters/[^`]*`[^`.]*)+\.", "", text)
    text = re.sub(r"(?m)^(Shape|Memory|Reference): ", r"\n\g<0>", text)
    done = []
    for block in re.split(r"\n\s*\n", text.strip()):
        head, _, body = block.partition("\n")
        if re.match(r"-+\n", body):
            body = body.partition("\n")[2]
            label = words.get(head, head)
            done.append(body if head == "Example" else field(label, entries(body) or inline(body)))
        elif block.startswith(">>>"):
            done.append(block)
        elif found := re.match(r"(Shape|Memory|Reference): (.+)", block, flags=re.S):
            done.append(field(words.get(found[1], found[1]), inline(found[2])))
        else:
            listed = entries(block) if "\n    " in block else None
            done.append(listed or inline(block))
    return "\n\n".join(done)


@cache
def names() -> dict[str, dict]:
    """The rows of ``tests/names.csv`` by name."""
    with open(NAMES, encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def process_docstring(app: Sphinx, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Autodoc's hook: our docstrings, and what the table of names says."""
    words = WORDS[edition(app)]
    text = docstring("\n".join(lines), words)
    if edition(app) != "en":
        text = f".. container:: language-en\n\n{indent(text, '   ')}"
    if row := names().get(name):
        chapters = [row["chapter"], *re.findall(r"`chapters/([\w/-]+)\.ipynb`", "\n".join(lines))]
        known = [app.env.path2doc(f"{app.config.book_root}/chapters/{c}.ipynb") for c in chapters]
        links = [f":doc:`/{c}`" for c in dict.fromkeys(known) if c in app.env.found_docs]
        if links:
            text += "\n\n" + field(words["Chapter"], words["comma"].join(links))
        reference = re.sub(r"^[\w.]+$", r"``\g<0>``", row["reference"])
        text += "\n\n" + field(words["Equal to"], reference)
        text += field(words["Test"], f"``{row['test']}``")
    lines[:] = text.splitlines()


class LinkNames(SphinxTransform):
    """Make ``minigrad.optim.Adam``, wherever it is said, a link to its place in the reference."""

    default_priority = 200

    def apply(self) -> None:
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext().removesuffix("()")
            inside = isinstance(literal.parent, nodes.reference | pending_xref)
            if re.fullmatch(r"minigrad(\.\w+)+", name) and not inside:
                link = pending_xref(
                    "", literal.deepcopy(), refdomain="py", reftype="obj", reftarget=name,
                    refexplicit=True, refwarn=False, refdoc=self.env.docname,
                )
                literal.replace_self(link)


def keep_quotes(app: Sphinx, domain: str, objtype: str, content: nodes.Element) -> None:
    """The quotation marks of docstrings belong to Python."""
    content["support_smartquotes"] = False


def configure(app: Sphinx, config) -> None:
    config.autodoc_typehints = "none"  # the docstrings say more
    config.autodoc_inherit_docstrings = False
    config.autodoc_preserve_defaults = True
    config.toc_object_entries_show_parents = "hide"


def setup(app: Sphinx) -> dict:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.viewcode")
    app.add_directive("claims", Ledger)
    app.add_directive("terms", Terms)
    app.add_directive("works", Works)
    app.add_directive("api", Api)
    app.add_directive("benchmarks", Benchmarks)
    app.add_transform(LinkNames)
    app.connect("config-inited", configure)
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("object-description-transform", keep_quotes)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}

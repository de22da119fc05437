"""``{api} minigrad.optim``: the reference of a module, from its docstrings (Sphinx's autodoc)."""

import re
import sys
from textwrap import dedent, indent
from types import ModuleType

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import minigrad

from ..contents import plan
from ..words import one_language, words
from .gathering import Gathered

DERIVED = re.compile(r"\s*(?:Derived|First used)[^`]*(?:`chapters/[^`]*`[^`.]*)+\.")


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


def lead_home(app: Sphinx, env, node: pending_xref, content: nodes.Node) -> nodes.Node | None:
    """A name that is documented in another module, like ``minigrad.nn.LayerNorm``, leads there."""
    said, within = node["reftarget"], node.get("py:module")
    for name in (said, f"{within}.{said}") if node.get("refdomain") == "py" else ():
        module, _, last = name.rpartition(".")
        home = public(public_modules()[module]).get(last) if module in public_modules() else None
        if home and home != name:
            domain = env.get_domain("py")
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, content)
    return None


class Api(Gathered):
    section = "reference"
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(self.config.external_toc_path)
        module = public_modules()[self.arguments[0]]
        names = public(module)
        here = {name for name, home in names.items() if home == f"{module.__name__}.{name}"}
        members = ", ".join(sorted(here))
        entries = self.parse_rst(f".. automodule:: {module.__name__}\n   :members: {members}\n")
        if self.language != "en":  # what follows is
            entries.insert(0, nodes.paragraph("", self.words["note"], classes=["where"]))
        return entries

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
            return f"\n\n.. math::\n\n{indent(dedent(tex(display)).strip(), '   ')}\n\n"
        if sign:
            return f"\\{sign}"
        role = f":py:obj:`{name}`" if name else f"``{code}``"
        if formula:
            role = f":math:`{tex(formula)}`"
        apart = "\\ "  # which reStructuredText wants between markup and a word, and drops
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        joined = bool(re.match(r"[\w)）]", before)), bool(re.match(r"[\w*|(（“《]", after))
        return apart * joined[0] + role + apart * joined[1]

    signs = r"[*|\\]|_(?!\w)"
    marks = rf"\$\$(.+?)\$\$|\$([^$]+)\$|`([A-Za-z_][\w.]*)`|`([^`]+)`|({signs})"
    return re.sub(marks, translate, text, flags=re.S)


def tex(formula: str) -> str:
    r"""A formula as MathJax wants it, which shows the backslash of an underscore in a text.

    >>> tex(r"\theta\_ / \text{fan\_in}")
    '\\theta\\_ / \\text{fan_in}'
    """
    return re.sub(r"\\text\{[^}]*\}", lambda text: text[0].replace(r"\_", "_"), formula)


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


def docstring(text: str, says: dict) -> str:
    """One of minigrad's docstrings as reStructuredText.

    They are prose with ``$formulas$``, `` `names` `` and examples; parts that are headed and
    underlined (Parameters, Raises, …) or that begin with a word and a colon (Shape, Memory,
    Reference) become fields.
    """
    text = DERIVED.sub("", text)
    text = re.sub(r"(?m)^(Shape|Memory|Reference): ", r"\n\g<0>", text)
    done = []
    for block in re.split(r"\n\s*\n", text.strip()):
        head, _, body = block.partition("\n")
        if re.match(r"-+\n", body):
            body = body.partition("\n")[2]
            label = says.get(head, head)
            done.append(body if head == "Example" else field(label, entries(body) or inline(body)))
        elif block.startswith(">>>"):
            done.append(block)
        elif all(line.startswith("    ") for line in block.splitlines()):  # shown as it stands
            done.append(f".. code-block:: text\n\n{block}")
        elif found := re.match(r"(Shape|Memory|Reference): (.+)", block, flags=re.S):
            done.append(field(says.get(found[1], found[1]), inline(found[2])))
        else:
            listed = entries(block) if "\n    " in block else None
            done.append(listed or inline(block))
    return "\n\n".join(done)


def chapters(thing: object, text: str) -> list[str]:
    """The chapters that derive a public name, as its docstring says, or that of its module, or of
    the package; ``"optimizers/"`` is a whole part."""
    module = getattr(thing, "__module__", "minigrad")
    for said in (text, *(sys.modules[one].__doc__ for one in (module, module.rpartition(".")[0]))):
        if found := re.findall(r"`chapters/([\w/-]+)(?:\.ipynb)?`", said or ""):
            return [*dict.fromkeys(found)]
    return []


def derived(app: Sphinx, names: list[str]) -> str:
    """Links to chapters, as reStructuredText; parts and planned chapters in words."""
    language = app.config.book_edition
    says, said = words("reference", language), {}
    for part in plan(app.config.external_site_map.meta):
        for entry in part.entries:
            said[f"{entry.name.partition('/')[0]}/"] = one_language(part.caption, language)
            if entry.title:
                title = one_language(entry.title, language)
                said[entry.name] = f":planned:`{says['planned'].format(title=title)}`"
    for name in names:
        document = app.env.path2doc(f"{app.config.book_root}/chapters/{name}.ipynb")
        if document in app.env.found_docs:
            said[name] = f":doc:`/{document}`"
    return says["comma"].join(said[name] for name in names if name in said)


def process_docstring(app: Sphinx, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Autodoc's hook: our docstrings, and where the thing is derived."""
    says = words("reference", app.config.book_edition)
    said = "\n".join(lines)
    text = docstring(said, says)
    if app.config.book_edition != "en":
        text = f".. container:: language-en\n\n{indent(text, '   ')}"
    if what in ("class", "function") and (links := derived(app, chapters(obj, said))):
        text += "\n\n" + field(says["Chapter"], links)
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


def planned(role, rawtext, text, lineno, inliner, options=None, content=None):
    """The role ``:planned:`` of docstrings: the title of a chapter that is not written yet."""
    return [nodes.inline("", text, classes=["planned"])], []


def setup(app: Sphinx) -> None:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.viewcode")
    app.add_directive("api", Api)
    app.add_role("planned", planned)
    app.add_transform(LinkNames)
    app.connect("config-inited", configure)
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("object-description-transform", keep_quotes)
    app.connect("missing-reference", lead_home)

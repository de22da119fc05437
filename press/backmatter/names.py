"""``{names} minigrad.optim``: the index of a module in the reference, a sentence on each name.

In English it is the first sentence of the docstring, in Chinese what ``summaries.yml`` says.
"""

import inspect
import re
import sys
from functools import cache
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from .gathering import Gathered
from .reference import inline, public, public_modules

FILE = Path(__file__).with_name("summaries.yml")


@cache
def chinese() -> dict[str, str]:
    """What each public name is, in a sentence, by the name under which it is documented."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def first_sentence(text: str) -> str:
    """Of a docstring.

    >>> first_sentence("Adam, e.g. as in PyTorch. And more.")
    'Adam, e.g. as in PyTorch.'
    """
    paragraph = re.split(r"\n\s*\n", inspect.cleandoc(text))[0]
    return re.split(r"(?<=[.?])(?<!e\.g\.)\s+(?=[A-Z`$])", " ".join(paragraph.split()))[0]


class Names(Gathered):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(FILE))
        module = public_modules()[self.arguments[0]]
        lines = []
        for name, home in sorted(public(module).items(), key=lambda pair: pair[0].lower()):
            thing = getattr(module, name)
            self.env.note_dependency(sys.modules[thing.__module__].__file__)
            said = first_sentence(thing.__doc__)
            said = chinese().get(home, said) if self.language == "zh" else said
            lines += [f":py:obj:`{name} <{home}>`", f"   {inline(said)}"]
        node = nodes.Element()
        text = ["```{eval-rst}", *lines, "```"]
        self.state.nested_parse(StringList(text), 0, node)
        for listed in node.findall(nodes.definition_list):
            listed["classes"].append("names")
        return node.children


def summarize(app: Sphinx, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Autodoc's hook: in the Chinese edition an entry begins with a sentence in Chinese."""
    if app.config.book_edition == "zh" and what in ("class", "function") and name in chinese():
        lines[:0] = [inline(chinese()[name]), ""]

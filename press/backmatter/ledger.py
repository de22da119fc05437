"""``{claims}``: the ledger, every claim of the book with its measured verdict."""

import html
import re

from docutils import nodes

from minigrad.lab.claims import VERDICTS

from .gathering import Chapter, Gathered, raw


def sentence(claim: str) -> list[nodes.Node]:
    """The text of a claim, which is HTML, as nodes: then the search finds it."""
    pieces = re.split(r'<span class="math[^>]*>\\\((.*?)\\\)</span>', claim)
    pieces = [html.unescape(piece) for piece in pieces]
    return [nodes.math("", tex) if n % 2 else nodes.Text(tex) for n, tex in enumerate(pieces)]


class Ledger(Gathered):
    section = "ledger"

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

"""``{claims}``: the ledger, every claim of the book with its measured verdict, source and scale."""

import re
from posixpath import dirname

from docutils import nodes

from minigrad.lab.claims import VERDICTS

from ..claims import boxed
from ..markdown import citations
from ..notebook import Claim
from ..scale import Scale
from .gathering import Chapter, Gathered, filter_box, raw

_CITED = re.compile(r" ?\{footcite(?::(\w))?\}`([^`]+)`")
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|/)([^)#\s]*)(#[^)\s]*)?(?=\))")


class Ledger(Gathered):
    section = "ledger"

    @staticmethod
    def takes(chapters: list[Chapter]) -> object:
        return [
            (chapter.name, chapter.titles, claim.name, claim.verdict, claim.zh, claim.en,
             vars(chapter.scales[claim.name]), chapter.near[claim.name])
            for chapter in chapters for claim in chapter.claims
        ]  # fmt: skip

    def run(self) -> list[nodes.Node]:
        body, verdicts = [], []
        self.note_works()
        for caption, chapters in self.parts():
            found = [chapter for chapter in chapters if chapter.claims]
            if not found:
                continue
            part = nodes.section(ids=[f"part-{nodes.make_id(chapters[0].name)}"], classes=["made"])
            part += nodes.title("", caption or self.config.html_title)
            for chapter in found:
                section = nodes.section(ids=[nodes.make_id(chapter.name)], classes=["made"])
                section += nodes.title("", "", *self.title(chapter))
                for line in chapter.claims:
                    section += self.line(chapter, line, chapter.scales[line.name])
                    verdicts.append(line.verdict)
                part += section
            body.append(part)
        box = filter_box(self.words["filter"], "article .claim")
        return [raw(self.filter(verdicts) + box), *body]

    def line(self, chapter: Chapter, claim: Claim, scale: Scale) -> nodes.Element:
        text = nodes.paragraph("", "", nodes.strong("", VERDICTS[claim.verdict][self.language]))
        text += [nodes.Text(" "), *self.sentence(chapter, getattr(claim, self.language))]
        box = boxed(claim.name, claim.verdict, text)
        about = nodes.paragraph("", self.scale(scale), classes=["scale"])
        near = [*dict.fromkeys(chapter.near[claim.name])]
        if near and not citations(getattr(claim, self.language)):
            about += [nodes.Text(f" · {self.words['source']}"), *self.cited(near[:3])]
        place = self.link(chapter, f"claim-{claim.name}", [nodes.Text(self.words["measured"])])
        about += [nodes.Text(" · "), place]
        box += about
        return box

    def scale(self, scale: Scale) -> str:
        """In words: the data, how long was trained, with how many seeds."""
        said = [self.words[name] for name in sorted(scale.data)]
        for name, values in sorted(scale.lengths.items()):
            said.append(self.words[name].format(listed(values)))
        if scale.seeds:
            said.append(self.words["seeds"].format(listed(scale.seeds)))
        elif not scale.stored:
            said.append(self.words["drawn" if scale.drawn else "exact"])
        return " · ".join(said) or self.words["stored"]

    def sentence(self, chapter: Chapter, words: str) -> list[nodes.Node]:
        """A sentence of a chapter as it can stand on this page: links lead to the same places,
        citations to the bibliography."""
        words = _LINK.sub(
            lambda m: f"/{dirname(chapter.name)}/{m[1]}{m[2] or ''}" if m[1]
            else f"/{chapter.name}.ipynb{m[2]}", words,
        )  # fmt: skip
        first, *rest = _CITED.split(words)
        found, _ = self.state.inline_text(first, self.lineno)
        for style, keys, after in zip(rest[::3], rest[1::3], rest[2::3]):
            found += self.citation(style == "t", [key.strip() for key in keys.split(",")])
            found += self.state.inline_text(after, self.lineno)[0] if after else []
        return found

    def citation(self, in_sentence: bool, keys: list[str]) -> list[nodes.Node]:
        """Works by author and year, as links."""
        entries = self.env.get_domain("cite").bibdata.data.entries
        uri = self.env.app.builder.get_relative_uri(
            self.env.docname, f"{dirname(self.env.docname)}/bibliography"
        )
        links = []
        for key in filter(entries.__contains__, keys):
            entry = entries[key]
            people = [" ".join(one.last_names) for one in entry.persons.get("author", [])]
            # Code, issues and documentation have no author: they go by their title.
            people = people or [re.sub(r"[{}\\]", "", entry.fields["title"])]
            who = self.words["two"].format(*people) if len(people) == 2 else people[0]
            who = self.words["many"].format(who) if len(people) > 2 else who
            form = self.words["said" if in_sentence else "cited"]
            text = form.format(who=who, year=entry.fields.get("year", ""))
            text = re.sub(r"[,，] ?(?=[)）])|[(（][)）]", "", text)  # where there is no year
            links.append(nodes.reference("", text, refuri=f"{uri}#{key}", internal=True))
        return links

    def cited(self, keys: list[str]) -> list[nodes.Node]:
        links = self.citation(True, keys)
        commas = [nodes.Text(self.words["comma"]) for _ in links]
        return [node for pair in zip(links, commas) for node in pair][:-1]

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


def listed(numbers: set[int]) -> str:
    """``5, 20, 60``; of more than four numbers their ends.

    >>> listed({60, 5, 20}), listed({1, 2, 3, 4, 1000})
    ('5, 20, 60', '1–1,000')
    """
    said = [f"{number:,}" for number in sorted(numbers)]
    return ", ".join(said) if len(said) < 5 else f"{said[0]}–{said[-1]}"

"""``{parts}``: the map of the book, from ``_toc.yml``; chapters that are planned are not linked."""

from docutils import nodes

from ..contents import Part, outline
from .gathering import Chapter, Gathered


class Parts(Gathered):
    gathers_back_matter = True

    @staticmethod
    def takes(chapters: list[Chapter]) -> object:
        return [(chapter.name, chapter.titles) for chapter in chapters]

    def run(self) -> list[nodes.Node]:
        chapters = {chapter.name: chapter for chapter in self.chapters()}
        items = nodes.definition_list(classes=["parts"])
        for part in outline(self.config.external_site_map, self.language)[1:]:
            items += self.part(part, chapters)
        return [items]

    def part(self, part: Part, chapters: dict[str, Chapter]) -> nodes.definition_list_item:
        """A part with its chapters, numbered if it is in the plan."""
        lines = nodes.bullet_list()
        for entry in part.entries:
            number = [nodes.Text(f"{entry.number} ")] if entry.number else []
            title = (
                nodes.inline("", entry.title, classes=["planned"]) if entry.title
                else self.link(chapters[entry.name], None)
            )  # fmt: skip
            lines += nodes.list_item("", nodes.paragraph("", "", *number, title))
        term = nodes.term("", f"{part.number or ''} {part.caption}".lstrip())
        return nodes.definition_list_item("", term, nodes.definition("", lines))

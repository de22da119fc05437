"""``{parts}``: the map of the book, from ``_toc.yml``; chapters that are planned are not linked."""

from docutils import nodes

from ..contents import PREFIX, Part, plan
from ..words import one_language
from .gathering import Chapter, Gathered


class Parts(Gathered):
    gathers_back_matter = True

    def run(self) -> list[nodes.Node]:
        planned = {one_language(part.caption, self.language): part
                   for part in plan(self.config.external_site_map.meta)}  # fmt: skip
        finished = {
            caption: {chapter.name.removeprefix(PREFIX): chapter for chapter in chapters}
            for caption, chapters in self.parts() if caption
        }  # fmt: skip
        # Parts without a plan keep their place: the opening before, the back matter after.
        captions = [*finished]
        for caption in planned:
            if caption not in finished:
                before = [*planned][[*planned].index(caption) - 1]
                captions.insert(captions.index(before) + 1 if before in captions else 0, caption)
        items = nodes.definition_list(classes=["parts"])
        for caption in captions:
            items += self.part(caption, planned.get(caption), finished.get(caption, {}))
        return [items]

    def part(
        self, caption: str, plan: Part | None, finished: dict[str, Chapter]
    ) -> nodes.definition_list_item:
        """A part with its chapters, numbered if it is in the plan."""
        lines = nodes.bullet_list()
        for entry in plan.entries if plan else ():
            title = one_language(entry.title or "", self.language)
            chapter = finished.get(entry.name)
            lines += item(
                nodes.Text(f"{entry.number} "),
                self.link(chapter, None) if chapter
                else nodes.inline("", title, classes=["planned"]),
            )  # fmt: skip
        if not plan:
            lines += [item(self.link(chapter, None)) for chapter in finished.values()]
        term = nodes.term("", f"{plan.number} {caption}" if plan else caption)
        return nodes.definition_list_item("", term, nodes.definition("", lines))


def item(*content: nodes.Node) -> nodes.list_item:
    return nodes.list_item("", nodes.paragraph("", "", *content))

"""Printed pages become a PDF that one can move about in: outline, links, page labels, tags.

Chromium prints every chapter by itself. Its links inside a page are named places, of which each
chapter has its own; those to other pages have no address on paper. Here all get theirs, when it is
known on which page of the whole everything stands.
"""

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from pypdf import PdfReader, PdfWriter
from pypdf.constants import PageLabelStyle
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    Fit,
    FloatObject,
    NameObject,
    NullObject,
    TextStringObject,
)  # fmt: skip

from .tags import TREE, bind_tags, numbered, rename, shift, whole, without

NOWHERE = "https://book.invalid/"  # where links to other pages of the book lead while printing

#: Simplified radicals that have a code of their own, beside that of the character that one types.
RADICALS = dict(zip(
    "⺁⺎⺒⺓⺝⺟⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰",
    "厂兀巳幺月母民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙",
))  # fmt: skip


@dataclass
class Printed:
    """A page of the book as Chromium has printed it: ``name`` as in ``_toc.yml``, headings as
    ``(level, anchor, words)``."""

    name: str
    pdf: bytes
    headings: Sequence[tuple[int, str, str]]
    places: dict[str, tuple[int, float]] = field(init=False)  # anchor: page, height on it
    links: list[tuple[int, int, str]] = field(init=False)  # page, number on it, target

    def __post_init__(self) -> None:
        self.reader = PdfReader(io.BytesIO(self.pdf))
        self.tags: DictionaryObject = self.reader.root_object[TREE]
        rename(self.tags, self.name)
        seen: set[int] = set()
        for page in self.reader.pages:
            name_letters(page["/Resources"], seen)
        number = self.reader.get_destination_page_number
        self.places = {
            name.removeprefix("/"): (number(place) or 0, float(place.top or 0))
            for name, place in self.reader.named_destinations.items()
        }
        self.links = [
            (n, i, self.target(link))
            for n, page in enumerate(self.reader.pages)
            for i, link in enumerate(map(whole, whole(page.get("/Annots", []))))
        ]

    @property
    def length(self) -> int:
        return len(self.reader.pages)

    def target(self, link: dict) -> str:
        """Where a link leads: ``name#anchor`` in the book, or an address. It no longer does."""
        place, action = link.pop("/Dest", None), link.pop("/A", None)
        if place is not None:
            return f"{self.name}#{str(place).removeprefix('/')}"
        address = str(action["/URI"])
        if not address.startswith(NOWHERE):
            return address
        page, _, anchor = address.removeprefix(NOWHERE).partition("#")
        return f"{page.removesuffix('.html')}#{anchor}"


def name_letters(resources: dict, seen: set[int]) -> None:
    """Let 一 be found and copied as 一. Fonts have the same shape for it and for the radical of its
    form, and Chromium says of the shape that it is the radical, which nobody types."""

    def letter(match: re.Match) -> str:
        text = chr(int(match[1], 16))
        return f"<{ord(RADICALS.get(text) or unicodedata.normalize('NFKC', text)):04X}>"

    for font in map(whole, whole(resources.get("/Font", {})).values()):
        if id(font) in seen:
            continue
        seen.add(id(font))
        if names := font.get("/ToUnicode"):
            text = names.get_data().decode("latin-1")
            better = re.sub(r"<(2[EF][0-9A-F]{2})>(?=\s*$)", letter, text, flags=re.M)
            if better != text:
                names.set_data(better.encode("latin-1"))
    for form in map(whole, whole(resources.get("/XObject", {})).values()):
        name_letters(form.get("/Resources", {}), seen)


def bind(
    parts: Sequence[tuple[str | None, Sequence[Printed]]], title: str, author: str, language: str,
    base: str = "", front: Printed | None = None,
) -> PdfWriter:  # fmt: skip
    """One PDF of printed chapters.

    Args:
        parts: ``(caption, chapters)``; those without a caption stand in the outline by themselves.
        base: where the edition is published, for links to what is not in this PDF; without it,
            such links are left out.
        front: what stands before page 1 and has Roman numbers.
    """
    writer = PdfWriter()
    printed = [front] if front else []
    printed += [chapter for _, some in parts for chapter in some]
    starts: dict[str, int] = {}
    shifts = [0]
    for one in printed:
        starts[one.name] = len(writer.pages)
        for page in one.reader.pages:
            writer.add_page(page)[NameObject("/StructParents")] = page["/StructParents"]
            shift(writer.pages[-1], shifts[-1])
        shifts.append(shifts[-1] + 1 + max(key for key, _ in numbered(one.tags["/ParentTree"])))
    places = {
        f"{one.name}#{anchor}": (starts[one.name] + page, top)
        for one in printed for anchor, (page, top) in one.places.items()
    } | {f"{one.name}#": (starts[one.name], 10_000.0) for one in printed}  # fmt: skip
    idle = set()  # links that lead nowhere
    for one in printed:
        for n, i, target in one.links:
            link = whole(writer.pages[starts[one.name] + n]["/Annots"][i])
            name, _, anchor = target.partition("#")
            if there := places.get(target) or places.get(f"{name}#"):
                page, top = writer.pages[there[0]], FloatObject(there[1])
                link[NameObject("/Dest")] = ArrayObject(
                    [page.indirect_reference, NameObject("/XYZ"), NullObject(), top, NullObject()]
                )
            elif ":" in target or base:
                inside = f"{base}/{name}.html" + (f"#{anchor}" if anchor else "")
                address = TextStringObject(target if ":" in target else inside)
                link[NameObject("/A")] = DictionaryObject(
                    {NameObject("/S"): NameObject("/URI"), NameObject("/URI"): address}
                )
            else:
                idle.add(whole(one.reader.pages[n]["/Annots"][i]).indirect_reference)
    for page in writer.pages:
        if links := whole(page.get("/Annots")):
            page[NameObject("/Annots")] = ArrayObject(
                link for link in links if {"/Dest", "/A"} & whole(link).keys()
            )
    for one in printed:
        without(one.tags, idle)
    writer.compress_identical_objects()  # letters that many chapters have
    bind_tags(writer, [(one.tags, shifted) for one, shifted in zip(printed, shifts)])
    for caption, some in parts:
        start, part = starts[some[0].name], None
        if caption:
            part = writer.add_outline_item(title=caption, page_number=start, is_open=False)
        for chapter in some:
            _outline(writer, chapter, starts[chapter.name], part)
    if front:
        writer.set_page_label(0, front.length - 1, style=PageLabelStyle.LOWERCASE_ROMAN)
        writer.set_page_label(front.length, len(writer.pages) - 1, style=PageLabelStyle.DECIMAL)
    writer.add_metadata({"/Title": title, "/Author": author})
    writer.root_object[NameObject("/Lang")] = TextStringObject(language)
    writer.root_object[NameObject("/ViewerPreferences")] = DictionaryObject(
        {NameObject("/DisplayDocTitle"): BooleanObject(True)}
    )
    writer.page_mode = "/UseOutlines"
    return writer


def _outline(writer: PdfWriter, chapter: Printed, start: int, part) -> None:
    above = [(0, part)]  # level and entry of what the next heading may stand under
    for level, anchor, words in chapter.headings:
        page, top = chapter.places.get(anchor, (0, 10_000.0))
        while above[-1][0] >= level:
            above.pop()
        entry = writer.add_outline_item(
            title=words, page_number=start + page, parent=above[-1][1], fit=Fit.xyz(top=top),
            is_open=False,
        )  # fmt: skip
        above.append((level, entry))

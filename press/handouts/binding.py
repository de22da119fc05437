"""Printed pages become a PDF that one can move about in: outline, links, page labels.

Chromium prints every chapter by itself. Its links inside a page are named places, of which each
chapter has its own; those to other pages have no address on paper. Here all are drawn anew, when
it is known on which page of the whole everything stands.
"""

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.constants import PageLabelStyle
from pypdf.generic import Fit, IndirectObject, NameObject, TextStringObject

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
    links: list[tuple[int, list[float], str]] = field(init=False)  # page, where on it, target

    def __post_init__(self) -> None:
        self.reader = PdfReader(io.BytesIO(self.pdf))
        for page in self.reader.pages:
            name_letters(page["/Resources"])
        number = self.reader.get_destination_page_number
        self.places = {
            name.removeprefix("/"): (number(place) or 0, float(place.top or 0))
            for name, place in self.reader.named_destinations.items()
        }
        self.links = [
            (n, [float(side) for side in note["/Rect"]], self.target(note))
            for n, page in enumerate(self.reader.pages)
            for note in map(_whole, page.pop("/Annots", []))
            if note["/Subtype"] == "/Link"
        ]

    @property
    def length(self) -> int:
        return len(self.reader.pages)

    def target(self, note: dict) -> str:
        """Where a link leads: ``name#anchor`` in the book, or an address."""
        if "/Dest" in note:
            return f"{self.name}#{str(note['/Dest']).removeprefix('/')}"
        address = str(note["/A"].get("/URI", ""))
        if not address.startswith(NOWHERE):
            return address
        page, _, anchor = address.removeprefix(NOWHERE).partition("#")
        return f"{page.removesuffix('.html')}#{anchor}"


def _whole(entry):
    return entry.get_object() if isinstance(entry, IndirectObject) else entry


def name_letters(resources: dict) -> None:
    """Let 一 be found and copied as 一. Fonts have the same shape for it and for the radical of its
    form, and Chromium says of the shape that it is the radical, which nobody types."""

    def letter(match: re.Match) -> str:
        text = chr(int(match[1], 16))
        return f"<{ord(RADICALS.get(text) or unicodedata.normalize('NFKC', text)):04X}>"

    for font in map(_whole, _whole(resources.get("/Font", {})).values()):
        if names := font.get("/ToUnicode"):
            text = names.get_data().decode("latin-1")
            better = re.sub(r"<(2[EF][0-9A-F]{2})>(?=\s*$)", letter, text, flags=re.M)
            if better != text:
                names.set_data(better.encode("latin-1"))
    for form in map(_whole, _whole(resources.get("/XObject", {})).values()):
        name_letters(form.get("/Resources", {}))


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
    chapters = [chapter for _, some in parts for chapter in some]
    starts: dict[str, int] = {}
    for one in [front, *chapters] if front else chapters:
        starts[one.name] = len(writer.pages)
        writer.append(one.reader, import_outline=False)
    for key in ("/Names", "/Dests"):  # of every chapter its own; no link needs them any more
        writer.root_object.pop(key, None)
    places = {
        f"{one.name}#{anchor}": (starts[one.name] + page, top)
        for one in chapters for anchor, (page, top) in one.places.items()
    } | {f"{one.name}#": (starts[one.name], 10_000.0) for one in chapters}  # fmt: skip
    for one in [front, *chapters] if front else chapters:
        for page, rect, target in one.links:
            name, _, anchor = target.partition("#")
            there = places.get(target) or places.get(f"{name}#")
            if there:
                link = Link(rect=rect, target_page_index=there[0], fit=Fit.xyz(top=there[1]))
            elif target.startswith(("http:", "https:", "mailto:")) or base:
                inside = f"{base}/{name}.html" + (f"#{anchor}" if anchor else "")
                link = Link(rect=rect, url=target if ":" in target else inside)
            else:
                continue
            writer.add_annotation(starts[one.name] + page, link)
    for caption, some in parts:
        start, part = starts[some[0].name], None
        if caption:
            part = writer.add_outline_item(title=caption, page_number=start)
        for chapter in some:
            _outline(writer, chapter, starts[chapter.name], part)
    if front:
        writer.set_page_label(0, front.length - 1, style=PageLabelStyle.LOWERCASE_ROMAN)
        writer.set_page_label(front.length, len(writer.pages) - 1, style=PageLabelStyle.DECIMAL)
    writer.add_metadata({"/Title": title, "/Author": author})
    writer.root_object[NameObject("/Lang")] = TextStringObject(language)
    writer.page_mode = "/UseOutlines"
    writer.compress_identical_objects()  # letters that many chapters have
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

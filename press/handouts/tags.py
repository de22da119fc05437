"""What a screen reader reads of a PDF, and in which order: a tree of elements, the PDF's *tags*.

Chromium tags what it prints. When chapters are bound, their trees become those of one document, in
which pages and links have other numbers.
"""

from collections.abc import Iterator, Sequence

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    TextStringObject,
)  # fmt: skip

FORMULA = "TeX: "  # so begins what a formula is called while printing
TREE = "/StructTreeRoot"


def whole(entry):
    """What an entry of a PDF refers to, or the entry."""
    return entry.get_object() if isinstance(entry, IndirectObject) else entry


def elements(kids) -> Iterator[DictionaryObject]:
    """The elements of a tree of tags."""
    kids = whole(kids)
    for kid in map(whole, kids if isinstance(kids, list) else [kids]):
        if isinstance(kid, dict) and "/S" in kid:
            yield kid
            yield from elements(kid.get("/K", []))


def numbered(tree: DictionaryObject) -> Iterator[tuple[int, IndirectObject]]:
    """The entries of a tree of numbers."""
    for kid in map(whole, whole(tree.get("/Kids", []))):
        yield from numbered(kid)
    entries = whole(tree.get("/Nums", []))
    yield from zip(map(int, entries[::2]), entries[1::2])


def rename(tree: DictionaryObject, name: str) -> None:
    """Call formulas formulas, and give the elements of a chapter names of their own in the book."""
    mine = lambda key: TextStringObject(f"{name}/{key}")  # noqa: E731
    for element in elements(tree["/K"]):
        said = str(element.get("/Alt", ""))
        if said.startswith(FORMULA):
            element[NameObject("/S")] = NameObject("/Formula")
            element[NameObject("/Alt")] = TextStringObject(said.removeprefix(FORMULA))
        if "/ID" in element:
            element[NameObject("/ID")] = mine(element["/ID"])
        attributes = whole(element.get("/A", []))
        for some in map(whole, attributes if isinstance(attributes, list) else [attributes]):
            if "/Headers" in some:
                some[NameObject("/Headers")] = ArrayObject(map(mine, some["/Headers"]))


def shift(page: DictionaryObject, by: int) -> None:
    """Add to the numbers by which a page and its links name their elements."""
    links = map(whole, whole(page.get("/Annots", [])))
    for one, key in ((page, "/StructParents"), *((link, "/StructParent") for link in links)):
        if key in one:
            one[NameObject(key)] = NumberObject(one[key] + by)


def without(tree: DictionaryObject, links: set[IndirectObject]) -> None:
    """Leave links out that are on no page."""
    for element in elements(tree["/K"]) if links else ():
        if isinstance(kids := whole(element.get("/K")), list):
            element[NameObject("/K")] = ArrayObject(kid for kid in kids if _link(kid) not in links)


def _link(kid) -> IndirectObject | None:
    """The link that an element has among its kids."""
    kid = whole(kid)
    return kid.raw_get("/Obj") if isinstance(kid, dict) and "/Obj" in kid else None


def bind_tags(writer: PdfWriter, trees: Sequence[tuple[DictionaryObject, int]]) -> None:
    """Put trees of chapters under one root; their pages are there, with numbers shifted so far."""
    root = DictionaryObject({NameObject("/Type"): NameObject(TREE)})
    place = writer._add_object(root)
    kids, parents, names = ArrayObject(), ArrayObject(), []
    for tree, shifted in trees:
        own = tree.clone(writer)
        documents = whole(own["/K"])
        for document in documents if isinstance(documents, list) else [documents]:
            whole(document)[NameObject("/P")] = place
            kids.append(whole(document).indirect_reference)
        for element in elements(own["/K"]):
            if "/ID" in element:
                names.append((str(element["/ID"]), element))
        for number, parent in numbered(own["/ParentTree"]):
            parents += [NumberObject(number + shifted), parent]
        for left in (own, own["/ParentTree"], own.get("/IDTree")):
            if left is not None:
                writer._objects[left.indirect_reference.idnum - 1] = None
    add = lambda entry: writer._add_object(entry)  # noqa: E731
    root[NameObject("/K")] = kids
    root[NameObject("/ParentTree")] = add(DictionaryObject({NameObject("/Nums"): parents}))
    listed = [part for name, one in sorted(names, key=lambda pair: pair[0].encode())
              for part in (TextStringObject(name), one.indirect_reference)]  # fmt: skip
    root[NameObject("/IDTree")] = add(DictionaryObject({NameObject("/Names"): ArrayObject(listed)}))
    root[NameObject("/ParentTreeNextKey")] = NumberObject(max(parents[::2], default=-1) + 1)
    writer.root_object[NameObject(TREE)] = place
    writer.root_object[NameObject("/MarkInfo")] = DictionaryObject(
        {NameObject("/Marked"): BooleanObject(True)}
    )

"""Stage 2, plan: leave out what nobody needs, and let arrays share memory.

A value lives from the instruction that makes it to the last one that reads it (or a view of it).
What is not alive at the same time may lie in the same place. Beyond that, a result is put

  - over the parameter or moment whose next value it is, once nobody reads the old one;
  - over an argument that is read here for the last time, if it is computed element by element;
  - where it belongs in a concatenation, so that nothing is left to concatenate.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from ..autograd.arrays import Array
from .program import CompileError, Instruction, Value, layout, values

INTO = {"ufunc", "reduce", "dot", "concatenate", "copy", "cast"}  # can be told where to write
NUMBERS = {"input", "number", "call", "draw", "pick", "item", "guard"}  # cannot
ALIGNED = 64  # bytes: a line of the cache


@dataclass(eq=False)
class Region:
    """A stretch of memory, and the values that lie in it one after the other.

    memory: the array it is, if it outlives the step. Otherwise it lies at `offset` of one buffer
        for all, or at `offset` of another region, the whole of which it is a part.
    parts: of a whole, what is computed in its place there; each is in use from its own start on.
    """

    size: int = 0
    start: int = 0
    end: int = 0
    memory: Array | None = None
    inside: Region | None = None
    offset: int = 0
    values: list[Value] = field(default_factory=list)
    parts: list[Region] = field(default_factory=list)


@dataclass
class Plan:
    program: list[Instruction]
    roots: dict[Value, Value]  # of each value with a place: the one whose place it is
    regions: dict[Value, Region]  # of each root
    copied: set[Value]  # what has to be copied before it is changed
    writes: list[tuple[Value, Value]]  # pairs (memory, its new value) that are not in place
    size: int = 0  # of the buffer, in bytes


def needed(
    program: list[Instruction], kept: list[Value], uses: dict[Value, list[Value]]
) -> list[Instruction]:
    """Without what leads to nothing that is kept. Draws and guards are kept anyhow."""
    wanted = set(kept)
    live = []
    for instruction in reversed(program):
        if instruction.out in wanted or instruction.kind in ("guard", "draw", "input", "number"):
            live.append(instruction)
            wanted.update(uses[instruction.out])
    return live[::-1]


def plan(
    program: list[Instruction], outputs: list[Value], writes: list[tuple[Value, Value]]
) -> Plan:
    """Give each value of the program its place.

    outputs: what is read when the program has ended. writes: pairs (memory, what it becomes).
    """
    uses = {x.out: values((x.args, x.kwargs)) for x in program}
    program = needed(program, outputs + [v for pair in writes for v in pair], uses)
    end_of_all = len(program)
    last: dict[Value, int] = {}
    for i, instruction in enumerate(program):
        last.update(dict.fromkeys((instruction.out, *uses[instruction.out]), i))
    last.update(dict.fromkeys(outputs + [new for _, new in writes], end_of_all))
    guarded = max((i for i, x in enumerate(program) if x.kind == "guard"), default=-1)
    roots, members, copied = find_roots(program, last)
    end = {root: max(last[v] for v in vs) for root, vs in members.items()}
    becomes = {
        roots[new]: old for old, new in writes if new in roots and same_place(new, old, roots)
    }

    regions: dict[Value, Region] = {}
    memories = [x.out for x in program if x.kind == "memory"]
    for v in memories:
        regions[v] = Region(memory=v.made.f, values=[v])
    near = {v: [w for w in memories if np.may_share_memory(v.made.f, w.made.f)] for v, _ in writes}
    parts = parts_of_concatenations(program, roots, regions)
    starts = {x.out: i for i, x in enumerate(program)}

    def free(region: Region, i: int, v: Value, arguments: list[Value]) -> bool:
        """Whether what lies in a region may be overwritten by instruction i, which makes v."""
        elementwise = v.made.kind == "ufunc"
        for root in region.values:
            if end[root] > i or (end[root] == i and not elementwise):
                return False
        overlapping = [
            u for u in arguments if region in (regions[roots[u]], regions[roots[u]].inside)
        ]
        return all(same_place(u, v, roots) for u in overlapping)

    def may_write(memory: Value, i: int) -> bool:
        """No exception can come any more, and nobody reads it under another name."""
        own = regions[memory]
        others = (regions[w] for w in near.get(memory, ()) if regions[w] is not own)
        return i > guarded and all(end[r] < i for other in others for r in other.values)

    owner = {id(regions[v]): v for v, _ in writes if v in regions}  # memory that will be written
    for i, instruction in enumerate(program):
        v = instruction.out
        if roots.get(v) is not v or v in regions:
            continue
        arguments = [u for u in uses[v] if u in roots]
        place = None
        if v in parts:
            whole, offset = parts[v]
            if whole not in regions:
                regions[whole] = Region(nbytes(whole), i, i, values=[whole])
            place = Region(nbytes(v), inside=regions[whole], offset=offset)
            regions[whole].values.append(v)
            regions[whole].parts.append(place)
        old = becomes.get(v)
        if place is None and old is not None and instruction.kind in INTO:
            fits = (v.shape, v.dtype, layout(v)) == (old.shape, old.dtype, layout(old))
            if fits and may_write(old, i) and free(regions[old], i, v, arguments):
                place = regions[old]
        if place is None and instruction.kind == "ufunc":
            for u in arguments:
                region = regions[roots[u]]
                if end[roots[u]] > i or region.inside is not None:
                    continue
                ours = region.memory is None or (
                    id(region) in owner and may_write(owner[id(region)], i)
                )
                if ours and free(region, i, v, arguments):
                    place = region
                    break
        if place is None:
            place = Region(nbytes(v), i, i)
        place.values.append(v)
        regions[v] = place

    different = {id(r): r for r in regions.values()}
    for region in different.values():
        region.start = min(starts[v] for v in region.values)
        region.end = max(end[v] for v in region.values)
    left = [
        (old, new)
        for old, new in writes
        if becomes.get(roots.get(new, new)) is not old or regions[roots[new]] is not regions[old]
    ]
    for _, new in left:
        if new in roots and regions[roots[new]].memory is not None:
            raise CompileError("compile: an array that is kept becomes another one that is kept")
    return Plan(program, roots, regions, copied, left, pack(different))


def find_roots(
    program: list[Instruction], last: dict[Value, int]
) -> tuple[dict[Value, Value], dict[Value, list[Value]], set[Value]]:
    """Whose place each value shares; who shares it; what has to be copied before it is changed.

    A view lies where its source does; an array that is changed in place stays where it is, if
    nobody needs it as it was. Numbers, and what NumPy makes anew each time, have no place.
    """
    roots: dict[Value, Value] = {}
    members: dict[Value, list[Value]] = defaultdict(list)
    copied = set()
    for i, instruction in enumerate(program):
        v, kind = instruction.out, instruction.kind
        if kind in NUMBERS or (
            v.shape == () and kind not in ("memory", "view", "setitem", "zeros")
        ):
            continue
        root = v
        if kind == "view":
            source = instruction.args[0]
            if source not in roots:
                continue  # a view of an input: taken each time
            root = roots[source]
        elif kind == "setitem":
            source = instruction.args[0]
            over = roots.get(source)
            others = [u for u in values(instruction.args[1:]) if roots.get(u) is over]
            if (
                over is not None
                and over.made.kind not in ("memory", "input")
                and source.size == over.size
                and layout(source) == layout(v)
                and all(last[u] <= i for u in members[over])
                and not others
            ):
                root = over
            else:
                copied.add(v)
        roots[v] = root
        members[root].append(v)
    return roots, members, copied


def parts_of_concatenations(
    program: list[Instruction], roots: dict[Value, Value], regions: dict[Value, Region]
) -> dict[Value, tuple[Value, int]]:
    """Of what is put side by side, what can be computed in its place there: (the whole, offset)."""
    parts: dict[Value, tuple[Value, int]] = {}
    for instruction in program:
        if instruction.kind != "concatenate" or len(instruction.out.shape) != 1:
            continue
        whole, offset = instruction.out, 0
        for v in instruction.args[0]:
            root = roots.get(v) if isinstance(v, Value) else None
            if (
                root is not None
                and root.made.kind in INTO - {"concatenate"}
                and root not in parts
                and root not in regions
                and (root.size, root.dtype) == (v.size, whole.dtype)
                and is_contiguous(root)
                and is_contiguous(v)
            ):
                parts[root] = whole, offset
            offset += v.size * whole.dtype.itemsize  # type: ignore[union-attr]
    return parts


def is_contiguous(v: Value) -> bool:
    expected = v.dtype.itemsize  # type: ignore[union-attr]
    for n, stride in zip(v.shape[::-1], v.strides[::-1]):
        if n > 1 and stride != expected:
            return False
        expected *= n
    return True


def same_place(u: Value, v: Value, roots: dict[Value, Value]) -> bool:
    """Whether u lies exactly as v will, if v is put over the whole that u is a view of."""
    return (u.shape, u.dtype, layout(u)) == (v.shape, v.dtype, layout(v)) and u.size == roots[
        u
    ].size


def nbytes(v: Value) -> int:
    return v.size * v.dtype.itemsize  # type: ignore[union-attr]


def pack(regions: dict[int, Region]) -> int:
    """Put each region at the lowest place that is free while it is alive; the size of all.

    What lives to the end, gradients for one, has its place before all others: they may lie there
    while it has not begun, but do not force it above themselves.
    """
    own = [r for r in regions.values() if r.memory is None and r.inside is None]
    end_of_all = max((r.end for r in own), default=0)
    taken: list[tuple[int, int, int, int]] = []  # (low, high, from, to), the lowest first
    total = 0
    for region in sorted(own, key=lambda r: (r.end < end_of_all, r.start)):
        taken = [t for t in taken if t[3] >= region.start]
        pieces, offset, moved = stretches(region), 0, True
        while moved:
            moved = False
            for low, high, start, end in taken:
                if low >= offset + region.size:
                    break
                if high <= offset or start > region.end:
                    continue
                for at, to, begin in pieces:
                    if low < offset + to and offset + at < high and begin <= end:
                        offset = -(-(high - at) // ALIGNED) * ALIGNED
                        moved = len(pieces) > 1  # another piece may now be over a lower one
        region.offset = offset
        for at, to, begin in pieces:
            insort(taken, (offset + at, offset + to, begin, region.end))
        total = max(total, offset + region.size)
    return total


def stretches(region: Region) -> list[tuple[int, int, int]]:
    """(from, to, since when it is in use): of a whole, its parts and what is between them."""
    parts = sorted(region.parts, key=lambda r: r.offset)
    found = [(r.offset, r.offset + r.size, r.start) for r in parts]
    edges = zip([0, *(to for _, to, _ in found)], [*(at for at, _, _ in found), region.size])
    return found + [(at, to, region.start) for at, to in edges if at < to]

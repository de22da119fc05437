"""The frames of a slider as one picture and the numbers that move it.

Every frame has the same marks, by name. Those that never change are drawn once. Of one that does,
``data["marks"]`` has

- ``forms``: what it can be, the letters of a path or a text in both languages, and ``form``, which
  of them it is in each frame (−1: it is not there); left out where there is only one;
- ``moves``: its coordinates in each frame. Those that are the same in every frame, or the same as
  another, are left out (``base``, ``column``); of the others stands the difference from what the
  frames before, along either knob, and the point before make expect (``guess``). Along a knob that
  does not matter to the mark there is one frame (``counts``);
- ``like``: the number of another mark that has the same coordinates;
- ``axes``: the number of the axes that it is in. ``data["maps"]`` has for each of them a, b, c, d:
  where the wide layout has x and y, the phone's has a x + b and c y + d;
- ``rigid``: whether that is true of the middle of each piece only, which keeps its shape.

A mark whose artist has ``gid="grab"`` can be taken hold of in the picture: ``data["grab"]`` is its
number. ``slider.js`` undoes this.
"""

import gzip
import itertools
import json
import re
from dataclasses import replace

import numpy as np

from . import figures, lettering
from .words import half


def film(reel, first, counts, size, phone, maps):
    """The picture of frame ``first`` in both layouts, with the data that move it.

    Args:
        reel: the marks of each frame, the last knob's value changing fastest.
        first: the number of the frame that is shown at the start.
        counts: how many values each knob has.
        size: of the picture, in pixels.
        phone: the marks and the size of frame ``first`` in the phone's layout.
        maps: for each axes, how coordinates become those of the phone.
    """
    order, shots = _aligned(reel, first)
    # A dot with an edge is two marks; the upper one is taken hold of.
    grab = next((name for name in reversed(order) if "grab" in name[0]), None)
    moving, marks, matrices, written = {}, [], [], []
    data = {"counts": counts, "maps": maps, "marks": marks}
    for name in order:
        shown = [shot.get(name) for shot in shots]
        model = shots[first].get(name) or next(filter(None, shown))
        if _is_still(name, model, shown):
            written += _written(model)
            continue
        mark, model, at = _told(shown, model, first)
        if at is not None:
            like = next((i for i, other in matrices if np.array_equal(other, at)), None)
            mark |= {"like": like} if like is not None else _moves(at, counts)
            matrices.append((len(marks), at))
        mark["axes"] = _axes(name[0])
        if model.rigid:
            mark["rigid"] = True
        attribute = f' data-k="{len(marks)}"'
        if shots[first].get(name) is None:
            attribute += ' visibility="hidden"'
        cut = any(figures.sticks_out(one) for one in shown if one)
        model = replace(model, clip=model.clip if cut else None)
        if name == grab:
            data["grab"] = len(marks)
        moving[name] = model, attribute, maps[mark["axes"]]
        written += _moving(model, attribute, name == grab)
        marks.append(mark)
    return figures.document(written, size), _narrow(phone, moving, order, grab), data


def _is_still(name, model, shown):
    if any(re.match(r"matplotlib\.axis", str(part)) for part in name[0]):
        return True  # drawn in the first frame only
    return all(mark is not None and _same(mark, model) for mark in shown)


def _written(mark):
    """A mark that stays as it is, with what it is clipped to: one or none."""
    if (mark := figures.plain(mark)) is not None:
        yield figures.write(mark), mark.clip


def _moving(mark, attribute, grab):
    """A mark that moves; the one to ``grab`` has a halo around it, wide enough for a finger."""
    yield figures.write(mark, attribute), mark.clip
    if grab:
        halo = replace(mark, look=f' stroke-width="{44 * figures.UNIT}" stroke-linecap="round"')
        yield figures.write(halo, f'{attribute} class="grab" stroke="transparent"'), None


def _axes(key):
    for part in key:
        if found := re.fullmatch(r"axes(\d+)", str(part)):
            return int(found[1])
    raise ValueError(f"slider: only what is inside of axes may change, got {key}")


def _named(marks):
    """Marks by name. What differs in looks is another mark: of several one is shown."""
    return {(mark.key, mark.kind, mark.look, mark.angle, mark.size): mark for mark in marks}


def _aligned(reel, first):
    """The names of all marks in the order of drawing, and the frames as dicts of them."""
    shots = [_named(marks) for marks in reel]
    order, known = list(shots[first]), set(shots[first])
    for shot in shots:
        before = None
        for name in shot:
            if name not in known:
                order.insert(order.index(before) + 1 if before else 0, name)
                known.add(name)
            before = name
    return order, shots


def _same(one, two):
    return (one.codes, one.words) == (two.codes, two.words) and np.array_equal(one.at, two.at)


def _told(shown, model, first):
    """Forms of a mark, the mark as it is in the first frame, and its coordinates in all frames."""
    known = [mark or model for mark in shown]
    if model.kind == "path":
        forms = [mark.codes for mark in known]
        if len(set(forms)) > 1 and all(re.fullmatch("ML*|D*", codes) for codes in forms):
            longest = max(forms, key=len)  # the last point is said again
            forms = [longest if codes[0] == longest[0] else codes for codes in forms]
        length = max(len(mark.at) for mark in known)
        at = np.stack([_padded(mark.at, length) for mark in known])
        if len(set(forms)) == 1:
            codes, at = figures.simplified(forms[0], at)
            forms = [codes] * len(forms)
        length = 2 * sum(figures.POINTS[code] for code in forms[first])
        model = replace(model, codes=forms[first], at=at[first][:length])
    else:
        forms = [mark.words for mark in known]
        at = np.stack([mark.at for mark in known])
    distinct = list(dict.fromkeys(forms))
    form = [distinct.index(one) if mark else -1 for one, mark in zip(forms, shown)]
    told = {}
    if model.kind == "path":
        told["forms"] = [_short(codes) for codes in distinct]
    elif model.kind == "text":
        if len(distinct) > 1:
            told["forms"] = [_texts(words, model.size) for words in distinct]
    elif len(distinct) > 1:
        told["forms"] = distinct
    if len(set(form)) > 1:
        told["form"] = form
    moved = np.any(at != at[0]) or (model.kind == "path" and len(distinct) > 1)
    return told, model, at if moved else None


def _padded(at, length):
    missing = (length - len(at)) // 2
    return np.concatenate([at, np.tile(at[-2:], missing)])


def _texts(words, size):
    zh, en = (lettering.svg(half(words, language), size) for language in ("zh", "en"))
    return en if zh == en else {"zh": zh, "en": en}


def _short(codes):
    """``MLLLZ`` → ``M1L3Z1``."""
    return "".join(code + str(len(list(group))) for code, group in itertools.groupby(codes))


def _moves(at, counts):
    """Coordinates in all frames, of shape (frames, n), in few and small numbers."""
    base, column, found = at[0], [], {}
    for values in at.T:
        if np.all(values == values[0]):
            column.append(-1)
        else:
            column.append(found.setdefault(values.tobytes(), len(found)))
    grid = at[:, [column.index(i) for i in range(len(found))]].reshape(*counts, len(found))
    for knob in range(len(counts)):
        still = grid.take([0], axis=knob)
        if np.array_equal(grid, np.broadcast_to(still, grid.shape)):
            grid = still
    told = {"counts": list(grid.shape[:-1])}
    if column != list(range(len(found))):
        told |= {"base": np.diff(base, prepend=0).tolist(), "column": column}
    return told | min(_guesses(grid), key=_weight)


def _weight(told):
    return len(gzip.compress(json.dumps(told).encode()))


def _guesses(grid):
    """The differences from each way to guess a frame from those before."""
    if grid.ndim == 2:
        grid = grid[None]
    for along, plane in itertools.product((0, 1), repeat=2):
        values = grid.copy()
        if along:
            if values.shape[-1] < 4:
                continue
            values[..., 2:] -= grid[..., :-2]
        moves = values.copy()
        moves[:, 1:] -= values[:, :-1]
        moves[1:, 0] -= values[:-1, 0]
        if plane:
            if 1 in grid.shape[:2]:
                continue
            moves[1:, 1:] -= values[:-1, 1:] - values[:-1, :-1]
        yield {"guess": along + 2 * plane, "moves": moves.ravel().tolist()}


def _narrow(phone, moving, order, grab):
    """The phone's picture: its own still marks, and the moving ones where the wide ones lead."""
    marks, size = phone
    still = {name: mark for name, mark in _named(marks).items() if name not in moving}
    names = list(still)
    for name in moving:  # each comes after what it comes after in the wide layout
        before = set(order[: order.index(name)])
        last = max((i for i, other in enumerate(names) if other in before), default=-1)
        names.insert(last + 1, name)
    written = []
    for name in names:
        if name in still:
            written += _written(still[name])
            continue
        model, attribute, (a, b, c, d) = moving[name]
        scale, shift = np.array([a, c]), np.array([b, d])
        at = model.at.reshape(-1, 2)
        by = _middles(model.codes, at) if model.rigid else at
        at = np.rint(at + by * (scale - 1) + shift).astype(int).ravel()
        clip = model.clip
        if clip is not None:
            corner, extent = np.array(clip[:2]) * scale + shift, np.array(clip[2:]) * scale
            clip = tuple(np.rint([*corner, *extent]).astype(int).tolist())
        written += _moving(replace(model, at=at, clip=clip), attribute, name == grab)
    return figures.document(written, size)


def _middles(codes, at):
    """For every point the middle of the piece it is in, of what begins with the same M."""
    counts = [sum(figures.POINTS[code] for code in "M" + piece) for piece in codes.split("M")[1:]]
    pieces = np.split(at, np.cumsum(counts)[:-1])
    middles = [(piece.min(axis=0) + piece.max(axis=0)) / 2 for piece in pieces]
    return np.repeat(middles, counts, axis=0)

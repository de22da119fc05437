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
  where the wide layout has x and y, the phone's has a x + b and c y + d.

``slider.js`` undoes this.
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
    moving, marks, matrices, written = [], [], [], []
    for name in order:
        shown = [shot.get(name) for shot in shots]
        model = shots[first].get(name) or next(filter(None, shown))
        if "matplotlib.axis0" in name[0] or "matplotlib.axis1" in name[0] or all(
            mark is not None and _same(mark, model) for mark in shown
        ):
            if (model := _plain(model)) is not None:
                written.append((figures.write(model), model.clip if _out([model]) else None))
            continue
        mark, model, at = _told(shown, model, first)
        if at is not None:
            twin = next((i for i, other in matrices if np.array_equal(other, at)), None)
            mark |= {"like": twin} if twin is not None else _moves(at, counts)
            matrices.append((len(marks), at))
        mark["axes"] = _axes(name[0])
        clip = model.clip if _out([mark_ for mark_ in shown if mark_]) else None
        attribute = f' data-k="{len(marks)}"' + ' visibility="hidden"' * (shots[first].get(name) is None)
        written.append((figures.write(model, attribute), clip))
        moving.append((name, model, attribute, clip, maps[mark["axes"]]))
        marks.append(mark)
    wide = figures.document(written, size)
    return wide, _narrow(phone, moving, order), {
        "counts": counts, "maps": maps, "marks": marks,
    }  # fmt: skip


def _axes(key):
    for part in key:
        if found := re.fullmatch(r"axes(\d+)", str(part)):
            return int(found[1])
    raise ValueError(f"slider: only what is inside of axes may change, got {key}")


def _aligned(reel, first):
    """The names of all marks in the order of drawing, and the frames as dicts of them."""
    shots = [{(m.key, m.kind, m.look, m.angle, m.size): m for m in marks} for marks in reel]
    order = list(shots[first])
    for shot in shots:
        before = None
        for name in shot:
            if name not in order:
                order.insert(order.index(before) + 1 if before else 0, name)
            before = name
    return order, shots


def _same(one, two):
    return (one.codes, one.words) == (two.codes, two.words) and np.array_equal(one.at, two.at)


def _out(marks):
    return any(map(figures._sticks_out, marks))


def _plain(mark):
    if mark.kind != "path":
        return mark
    codes, at = figures.simplified(mark.codes, mark.at[None])
    return replace(mark, codes=codes, at=at[0]) if codes else None


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
        model = replace(model, codes=forms[first], at=at[first][: 2 * sum(figures.POINTS[c] for c in forms[first])])
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
    matter = np.stack([at[:, column.index(i)] for i in range(len(found))], axis=1) if found else at[:, :0]
    grid = matter.reshape(*counts, len(found))
    for knob in range(len(counts)):
        still = grid.take([0], axis=knob)
        if np.array_equal(grid, np.broadcast_to(still, grid.shape)):
            grid = still
    told = {"counts": list(grid.shape[:-1])}
    if column != list(range(len(found))):
        told |= {"base": np.diff(base, prepend=0).tolist(), "column": column}
    return told | min(_guesses(grid), key=lambda told: len(gzip.compress(json.dumps(told).encode())))


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


def _narrow(phone, moving, order):
    """The phone's picture: its own still marks, and the moving ones where the wide ones lead."""
    marks, size = phone
    named = {(m.key, m.kind, m.look, m.angle, m.size): m for m in marks}
    moving = {name: rest for name, *rest in moving}
    keys, result = [name for name in named if name not in moving], []
    for name in order:  # the moving ones come after what they come after in the wide layout
        if name in moving:
            before = order[: order.index(name)]
            last = max((keys.index(b) for b in before if b in keys), default=-1)
            keys.insert(last + 1, name)
    for name in keys:
        if name not in moving:
            if (mark := _plain(named[name])) is not None:
                result.append((figures.write(mark), mark.clip if _out([mark]) else None))
            continue
        model, attribute, clip, (a, b, c, d) = moving[name]
        if model.kind == "image":
            continue
        place = lambda at: np.rint(np.array(at).reshape(-1, 2) * [a, c] + [b, d]).astype(int).ravel()  # noqa: E731
        if clip is not None:
            x, y, width, height = clip
            (left, top), (right, bottom) = place([x, y]), place([x + width, y + height])
            clip = left, top, right - left, bottom - top
        result.append((figures.write(replace(model, at=place(model.at)), attribute), clip))
    return figures.document(result, size)

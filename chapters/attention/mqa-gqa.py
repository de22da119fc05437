"""Heads that share keys and values: trained so, or made so from a model that did not.

Writes mqa-gqa.json. The language is Shannon's (`data.letters`): each letter is drawn by the three before
it, and the score is KL(language || model) in nats a letter, where the model has seen three or more. The
Transformer has one layer of width 32 (two in ``deep``): RMSNorm, attention without biases, RMSNorm, ReLU
network, and an RMSNorm at the end. It sees every sequence of 8 letters once, 16 a step; Adam, warm-up,
linear decay. Equal seeds have equal texts, and equal starts where shapes are equal.

``kinds``: SHAPES has the key-value heads, the size of a head, the query heads and the hidden units. The
kinds with + have as many parameters as mha, but for 30 in 10,000; few+, narrow+, one+ and gqa-2+ store 16
numbers a position. one+ differs from gqa-2+ in its query heads, too, and three more tell these apart: wide
has the query heads of one+ without sharing, four+ as many as one+ (4) with the key-value heads of gqa-2+,
and eight+ as many as gqa-2+ (8) with the key-value head of one+. ``longer``: five times the steps.
``deep``: two layers. ``at once``: a trained mha is converted to 4, 2 or 1 key-value
heads; ``up``: and trained on, on new text, for a twentieth of its steps; ``more up``: for a fifth. The
score is what it lost to the mha it came from. ``none``: the mha itself, trained on. ``long``: the same
from an mha trained for three times the steps. Ways to convert: the mean of a group's heads, its first
head, one drawn at random, random new heads, the mean after a random rotation of every head's basis
(which does not change the mha), the mean after aligning the heads by rotations (Procrustes), and the
best approximation of what is invariant, by a singular value decomposition of the weights (svd) or with
the inputs' second moments as weights (svd-data). ``heads``: how alike the heads of an mha are, and what the
mean to 1 key-value head loses when the bases inside the heads are turned at random first, 16 times, or
changed by normal matrices. ``lookup``: 8 items with four attributes and a payload; a query names a kind
of each attribute and wants the payload of the four items that have them.

Written before running: 0.03 nats would matter, and 3 points of error in ``lookup``. In pilots on seeds
1000 to 1007, which set the grids too, differences of kinds had a standard deviation of 0.02 to 0.05, and
differences of conversions were 0.05 and more; 12 pairs give about ± 0.025. Rates are chosen by the
validation score on 4 seeds, those after a conversion too; 12 others report, 8 in ``longer``, ``deep``,
``long`` and ``lookup``.
"""

import functools

import numpy as np

from minigrad import activations, attention, compile, losses, no_grad, norms, optim
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep
from minigrad.nn import Parameter

LENGTH, BATCH, WIDTH, BLOCK = 8, 16, 32, 4
SHAPES = {  # key-value heads, size of a head, query heads, hidden units
    "mha": (8, 4, 8, 64), "gqa-4": (4, 4, 8, 64), "gqa-2": (2, 4, 8, 64), "mqa": (1, 4, 8, 64),
    "gqa-4+": (4, 4, 8, 80), "gqa-2+": (2, 4, 8, 88), "mqa+": (1, 4, 8, 92),
    "few+": (2, 4, 2, 111), "narrow+": (8, 1, 8, 111), "one+": (1, 8, 4, 88),
    "wide": (4, 8, 4, 64), "four+": (2, 4, 4, 103), "eight+": (1, 8, 8, 56),
}  # fmt: skip
OF = {8: "mha", 4: "gqa-4", 2: "gqa-2", 1: "mqa"}
WAYS = "mean", "first", "random", "new", "rotated", "procrustes", "svd", "svd-data"
BEST = "mean", "svd-data"


def start(kind, layers, seeds):
    """Parameters by name, those of all runs stacked."""
    G, d, H, hidden = SHAPES[kind]
    D, shapes = WIDTH, {"letters": (27, WIDTH), "places": (LENGTH, WIDTH)}
    for i in range(layers):
        shapes |= {f"q{i}": (D, H * d), f"k{i}": (D, G * d), f"v{i}": (D, G * d)}
        shapes |= {f"o{i}": (H * d, D), f"up{i}": (D, hidden), f"down{i}": (hidden, D)}
    theta = {}
    for i, (name, shape) in enumerate((shapes | {"head": (D, 27)}).items()):
        rngs = [np.random.default_rng([seed, 1, i]) for seed in seeds]
        deviation = 1.0 if name in ("letters", "places") else shape[0] ** -0.5
        theta[name] = np.array([rng.normal(0, deviation, size=shape) for rng in rngs])
    theta |= {f"gamma{i}": np.ones((len(seeds), 1, D)) for i in range(2 * layers + 1)}
    return theta | {f"bias{i}": np.zeros((len(seeds), 1, hidden)) for i in range(layers)}


def logits(kind, p, letters, inputs=None):
    """Logits (runs, sequences · places, 27) of one-hot letters; gathers the inputs of attention."""
    G, d, H, _ = SHAPES[kind]
    S, N, _ = letters.shape
    B, T, r, D = N // LENGTH, LENGTH, H // G, WIDTH
    # the r query heads of a group stand one below the other
    mask = np.tile(np.tri(T, dtype=bool), (r, 1))

    def norm(x, i):
        return norms.rms_norm(x, D, eps=1e-5) * p[f"gamma{i}"]

    x = ((letters @ p["letters"]).reshape(S, B, T, D) + p["places"][:, None]).reshape(S, N, D)
    for i in range(sum(name.startswith("up") for name in p)):
        z = norm(x, 2 * i)
        if inputs is not None:
            inputs.append(z.data)
        q = (z @ p[f"q{i}"]).reshape(S, B, T, G, r, d).transpose(0, 1, 3, 4, 2, 5)
        k, v = ((z @ p[f"{c}{i}"]).reshape(S, B, T, G, d).swapaxes(2, 3) for c in "kv")
        a = attention.scaled_dot_product_attention(q.reshape(S, B, G, r * T, d), k, v, mask)
        a = a.reshape(S, B, G, r, T, d).transpose(0, 1, 4, 2, 3, 5).reshape(S, N, H * d)
        x = x + a @ p[f"o{i}"]
        z = activations.relu(norm(x, 2 * i + 1) @ p[f"up{i}"] + p[f"bias{i}"])
        x = x + z @ p[f"down{i}"]
    last = max(int(name[5:]) for name in p if name.startswith("gamma"))
    return norm(x, last) @ p["head"]


@functools.cache
def held_out(which):
    letters, laws = data.letters(300, LENGTH + 1, rng=np.random.default_rng([2026, which]))
    return np.eye(27, dtype=np.float32)[letters[:, :-1]].reshape(1, -1, 27), laws


def measured(kind, theta, which):
    """KL of the language from each model, in nats a letter."""
    seen, laws = held_out(which)
    S = len(theta["letters"])
    with no_grad():
        p = {name: Parameter(value, np.float32) for name, value in theta.items()}
        logs = activations.log_softmax(logits(kind, p, np.repeat(seen, S, axis=0))).data
    logs = logs.reshape(S, -1, LENGTH, 27)[:, :, 2:]
    true = np.log(np.where(laws > 0, laws, 1))
    return (laws * (true - logs)).sum(axis=-1).mean(axis=(1, 2))


def trained(kind, theta, lr, steps, seeds, stream):
    """The parameters after some steps on text that depends on the seed and the stream only."""
    p = {name: Parameter(value, np.float32) for name, value in theta.items()}
    opt = optim.Adam(list(p.values()), lr=lr)
    opt.schedule(lambda t: lr * min(1, 10 * t / steps) * (1 - t / steps))
    rngs = [np.random.default_rng([seed, stream]) for seed in seeds]
    texts = np.array([data.letters(BATCH * steps, LENGTH + 1, rng=rng)[0] for rng in rngs])

    def loss(seen, target):
        logs = activations.log_softmax(logits(kind, p, seen))
        return -(logs * target).sum() / (BATCH * LENGTH)

    step, flat = compile(loss, opt), (len(seeds), -1, 27)
    for now in np.split(texts, steps, axis=1):
        hot = np.eye(27, dtype=np.float32)[now]
        step(hot[:, :, :-1].reshape(flat), hot[:, :, 1:].reshape(flat))
    return {name: value.data.astype(float) for name, value in p.items()}


@functools.cache
def model(kind, layers, steps, lr, first):
    """A block of trained models, and their scores."""
    seeds = range(first, first + BLOCK)
    theta = trained(kind, start(kind, layers, seeds), lr, steps, seeds, 0)
    return theta, [measured(kind, theta, which) for which in (0, 1)]


def run(kind, layers, steps, lr, seed):
    """Scores of one run, out of the block that its seed belongs to."""
    first = seed - seed % BLOCK
    validation, test = model(kind, layers, steps, lr, first)[1]
    return {"validation": validation[seed - first], "test": test[seed - first]}


# Heads, (S, H, D, d) for queries, keys and values and (S, H, d, D) for the output's matrix. Head a scores
# by z q_a k_aᵀ zᵀ and contributes p z v_a o_a: for invertible A, (q A, k A⁻ᵀ) and (v A, A⁻¹ o) do the same.


def split(theta, i, d=4):
    S, D = len(theta["letters"]), WIDTH
    q, k, v = (theta[f"{c}{i}"].reshape(S, D, -1, d).swapaxes(1, 2) for c in "qkv")
    return q, k, v, theta[f"o{i}"].reshape(S, -1, d, D)


def joined(theta, i, q, k, v, o):
    """The parameters with other heads."""
    S, D = len(theta["letters"]), WIDTH
    merged = {f"{c}{i}": x.swapaxes(1, 2).reshape(S, D, -1) for c, x in zip("qkv", (q, k, v))}
    return theta | merged | {f"o{i}": o.reshape(S, -1, D)}


def rotations(rng, shape):
    """Random orthogonal matrices, of Haar's measure."""
    Q, R = np.linalg.qr(rng.normal(size=shape))
    return Q * np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]


def transposed(x):
    return x.swapaxes(-1, -2)


def aligned(x):
    """Rotations of the heads (S, G, r, D, d) of each group that bring them closest to their mean."""
    mean = x[:, :, :1]
    for _ in range(10):
        U, _, Vt = np.linalg.svd(transposed(x) @ mean)  # Procrustes' problem for each head
        mean = (x @ (U @ Vt)).mean(axis=2, keepdims=True)
    return U @ Vt


def root(inputs):
    """Square root of the second moments of the inputs, and its inverse: (S, 1, D, D)."""
    values, vectors = np.linalg.eigh(transposed(inputs) @ inputs / inputs.shape[1])
    values = np.sqrt(np.maximum(values, 1e-9 * values[:, -1:]))[:, None]
    pair = ((vectors * w) @ transposed(vectors) for w in (values, 1 / values))
    return tuple(matrix[:, None] for matrix in pair)


def best(q, k, v, o, moments, inverse):
    """The shared heads that change the groups' score forms and output maps least (Eckart and Young)."""
    S, G, r, D, d = q.shape
    forms = moments[:, :, None] @ (q @ transposed(k)) @ moments[:, :, None]
    U, s, Vt = np.linalg.svd(forms.reshape(S, G, r * D, D), full_matrices=False)
    s = s[..., None, :d]
    size = np.sqrt(s) / r**0.25  # as long as the queries
    k = inverse @ transposed(Vt[..., :d, :]) * size
    q = inverse[:, :, None] @ (U[..., :d] * (s / size)).reshape(q.shape)
    maps = (moments[:, :, None] @ (v @ o)).swapaxes(2, 3).reshape(S, G, D, r * D)
    U, s, Vt = np.linalg.svd(maps, full_matrices=False)
    s = s[..., None, :d]
    size = np.sqrt(s) / r**0.25
    v = inverse @ U[..., :d] * size
    o = (transposed(s / size) * Vt[..., :d, :]).reshape(S, G, d, r, D).swapaxes(2, 3)
    return q, k, v, o


def converted(theta, how, G, seeds):
    """A trained mha as a model of G key-value heads."""
    for i in range(sum(name.startswith("up") for name in theta)):
        rngs = [np.random.default_rng([seed, 5, i]) for seed in seeds]
        q, k, v, o = (x.reshape(len(x), G, 8 // G, *x.shape[2:]) for x in split(theta, i))
        S, _, r, D, d = q.shape
        if how == "rotated":
            A, B = (np.array([rotations(g, (G, r, d, d)) for g in rngs]) for _ in range(2))
            q, k, v, o = q @ A, k @ A, v @ B, transposed(B) @ o
        if how == "procrustes":
            A, B = aligned(k), aligned(v)
            q, k, v, o = q @ A, k @ A, v @ B, transposed(B) @ o
        if how == "random":
            pick = np.array([g.integers(r, size=G) for g in rngs])[:, :, None, None, None]
            k, v = (np.take_along_axis(x, pick, axis=2)[:, :, 0] for x in (k, v))
        elif how == "first":
            k, v = k[:, :, 0], v[:, :, 0]
        elif how == "new":
            fresh = np.array([g.normal(0, D**-0.5, size=(2, G, D, d)) for g in rngs])
            k, v = fresh[:, 0], fresh[:, 1]
        elif how.startswith("svd"):
            moments = inverse = np.eye(D)[None, None]
            if how == "svd-data":
                text = data.letters(100, LENGTH, rng=np.random.default_rng([2026, 7]))[0]
                hot = np.repeat(np.eye(27)[text].reshape(1, -1, 27), S, axis=0)
                p, inputs = {name: Parameter(value) for name, value in theta.items()}, []
                with no_grad():
                    logits("mha", p, hot, inputs)
                moments, inverse = root(inputs[i])
            q, k, v, o = best(q, k, v, o, moments, inverse)
        else:
            k, v = k.mean(axis=2), v.mean(axis=2)
        q, o = (x.reshape(S, 8, *x.shape[3:]) for x in (q, o))
        theta = joined(theta, i, q, k, v, o)
    return theta


@functools.cache
def converts(ways, G, steps, rate, share, lr, first):
    """What blocks of converted models lost to those they came from, one row for each way."""
    seeds = range(first, first + BLOCK)
    theta, before = model("mha", 1, steps, rate, first)
    parts = [theta if how == "none" else converted(theta, how, G, seeds) for how in ways]
    theta = {name: np.concatenate([part[name] for part in parts]) for name in theta}
    if share:
        theta = trained(OF[G], theta, lr, round(share * steps), [*seeds] * len(ways), 3)
    found = (measured(OF[G], theta, which).reshape(-1, BLOCK) for which in (0, 1))
    return [after - b for after, b in zip(found, before)]


def up(how, G, steps, rate, share, lr, seed):
    """Scores of one conversion; rate is what the mha was trained with, lr what it is trained on with."""
    some = ("none",) if how == "none" else WAYS if share < 0.1 and steps == 600 else BEST
    first = seed - seed % BLOCK
    validation, test = converts(some, G, steps, rate, share, lr, first)
    i = some.index(how), seed - first
    return {"validation": validation[i], "test": test[i]}


def rebased(theta, A, B):
    """The same models, with other bases inside the heads of the first layer."""
    q, k, v, o = split(theta, 0)
    inverse = np.linalg.inv
    return joined(
        theta, 0, q @ transposed(A), k @ inverse(A), v @ transposed(B), transposed(inverse(B)) @ o
    )


@functools.cache
def insides(steps, rate, first):
    """How alike the heads of a block of mha are, and what the choice of bases does to their mean."""
    theta, (_, before) = model("mha", 1, steps, rate, first)
    seeds = range(first, first + BLOCK)
    q, k, v, o = split(theta, 0)

    def square(x):
        return (x**2).sum(axis=(-2, -1))

    found = {}
    for name, x in (("keys", k), ("values", v)):
        found[name] = square(x.mean(axis=1)) / square(x).mean(axis=1)
    forms, eye = q @ transposed(k), np.eye(WIDTH)[None, None]
    new_q, new_k, _, _ = best(*(x[:, None] for x in (q, k, v, o)), eye, eye)
    for name, other in (("mean", k.mean(axis=1, keepdims=True)), ("best", new_k)):
        of_q = q if name == "mean" else new_q[:, 0]
        error = square(forms - of_q @ transposed(other)).sum(axis=1)
        found[f"{name} error"] = error / square(forms).sum(axis=1)
    rngs, losts = [np.random.default_rng([seed, 6]) for seed in seeds], []
    for turn in range(17):
        A, B = (np.array([rotations(g, (8, 4, 4)) for g in rngs]) for _ in range(2))
        if turn == 16:
            A, B = (np.array([g.normal(size=(8, 4, 4)) for g in rngs]) for _ in range(2))
        pooled = converted(rebased(theta, A, B), "mean", 1, seeds)
        losts.append(measured("mqa", pooled, 1) - before)
    turned = np.array(losts[:16])
    found |= {"lowest": turned.min(axis=0), "highest": turned.max(axis=0), "general": losts[16]}
    return found


def inside(steps, rate, seed):
    first = seed - seed % BLOCK
    return {name: values[seed - first] for name, values in insides(steps, rate, first).items()}


@functools.cache
def asked(number, seed):
    """Queries, items and answers: every kind of every attribute is that of one item."""
    rng = np.random.default_rng([seed, 2])
    kinds = rng.random((number, 4, 8)).argsort(axis=-1)
    payload, wanted = rng.integers(4, size=(number, 8)), rng.integers(8, size=(number, 4))
    eye = np.eye(8, dtype=np.float32)
    items = [*eye[kinds].swapaxes(0, 1), eye[payload][..., :4]]
    where = (kinds == wanted[..., None]).argmax(axis=-1)
    answers = np.take_along_axis(payload, where, axis=1)
    return eye[wanted].reshape(number, 32), np.concatenate(items, axis=-1), answers


def reader(x, y, weights, G, d):
    """Logits (S, B, 16) of queries (S, B, 32) on items (S, B, 8, 36), by four query heads."""
    Wq, Wk, Wv, Wo = weights
    S, B, n, D = y.shape
    q = (x @ Wq).reshape(S, B, G, 4 // G, d)
    k, v = ((y.reshape(S, B * n, D) @ W).reshape(S, B, n, G, d).swapaxes(2, 3) for W in (Wk, Wv))
    a = attention.scaled_dot_product_attention(q, k, v)
    return a.reshape(S, B, 4 * d) @ Wo


@functools.cache
def readers(G, d, lr, first, steps=600, batch=32):
    seeds = range(first, first + BLOCK)
    rngs = [np.random.default_rng([seed, 1]) for seed in seeds]
    shapes = (32, 4 * d), (36, G * d), (36, G * d), (4 * d, 16)
    weights = [np.array([g.normal(0, s[0] ** -0.5, size=s) for g in rngs]) for s in shapes]
    weights = [Parameter(W, np.float32) for W in weights]
    opt = optim.Adam(weights, lr=lr)
    opt.schedule(lambda t: lr * (1 - t / steps))

    def loss(x, y, answers):
        found = reader(x, y, weights, G, d).reshape(-1, 4)
        return BLOCK * losses.cross_entropy(found, answers.reshape(-1))

    x, y, answers = (np.array(part) for part in zip(*(asked(batch * steps, s) for s in seeds)))
    step = compile(loss, opt)
    for t in range(steps):
        now = slice(batch * t, batch * (t + 1))
        step(x[:, now], y[:, now], answers[:, now])
    scores = []
    for which in (10**6, 10**6 + 1):
        x, y, answers = asked(1000, which)
        x, y = (np.repeat(part[None], BLOCK, axis=0) for part in (x, y))
        with no_grad():
            found = reader(x, y, weights, G, d).data.reshape(BLOCK, -1, 4, 4)
        logs = activations.log_softmax(found).data
        loss = -np.take_along_axis(logs, answers[None, ..., None], axis=-1).mean(axis=(1, 2, 3))
        scores.append((loss, 100 * (found.argmax(axis=-1) != answers).mean(axis=(1, 2))))
    return scores[0][0], scores[1][1]


def look(shape, lr, seed):
    """Scores of one reader: G key-value heads of d channels, ``shape`` being "G × d"."""
    first, (G, d) = seed - seed % BLOCK, map(int, shape.split(" × "))
    validation, error = readers(G, d, lr, first)
    return {"validation": validation[seed - first], "test error": error[seed - first]}


def compared(run, rates, fresh, factor=1.7, **axes):
    """Each at its best rate, on fresh seeds; the grid grows if the best is at its end."""
    tried = sweep(run, axes | {"lr": rates}, seeds=4)
    try:
        return tried.best("lr", by="validation", fresh=range(100, 100 + fresh))
    except ValueError as error:
        print(error)
    rates = (rates[0] / factor, *rates, factor * rates[-1])
    return compared(run, rates, fresh, factor, **axes)


if __name__ == "__main__":
    small = (0.005, 0.01, 0.02, 0.04)
    kinds = {"kind": tuple(SHAPES), "layers": (1,), "steps": (600,)}
    found = {"kinds": compared(run, (0.02, 0.035, 0.06), 12, **kinds)}
    rate = found["kinds"].at(kind="mha").chosen["lr"].item()
    mha = {"steps": (600,), "rate": (rate,)}
    fewer = {"how": WAYS, "G": (4, 2, 1)} | mha
    found["at once"] = sweep(up, fewer | {"share": (0,), "lr": (0,)}, range(100, 112))
    found["heads"] = sweep(inside, mha, range(100, 112))
    found["up"] = compared(up, small, 12, 2, share=(0.05,), **fewer)
    found["more up"] = compared(up, small, 12, 2, share=(0.2,), **fewer | {"how": BEST})
    tiny = (0.0006, 0.0012, 0.0025, 0.005, 0.01, 0.02)
    found["none"] = compared(up, tiny, 12, 2, how=("none",), G=(8,), share=(0.05, 0.2), **mha)
    some = tuple(kind for kind in SHAPES if kind not in ("gqa-4", "gqa-4+", "mqa+"))
    longer = {"kind": some, "layers": (1,), "steps": (3000,)}
    found["longer"] = compared(run, (0.012, 0.02, 0.035, 0.06), 8, **longer)
    deep = {"kind": ("mha", "mqa"), "layers": (2,), "steps": (600,)}
    found["deep"] = compared(run, (0.012, 0.02, 0.035), 8, **deep)
    long = {"kind": ("mha",), "layers": (1,), "steps": (1800,)}
    found["long mha"] = compared(run, (0.012, 0.02, 0.035), 8, **long)
    rate_long = found["long mha"].chosen["lr"].item()
    mha = {"steps": (1800,), "rate": (rate_long,)}
    found["long up"] = compared(up, small, 8, 2, how=BEST, G=(2,), share=(0.05,), **mha)
    shapes = "4 × 4", "2 × 4", "1 × 4", "1 × 8", "1 × 16"
    found["lookup"] = compared(look, (0.015, 0.03, 0.06, 0.12), 8, 2, shape=shapes)
    entry = {"how": "svd-data", "G": 2, "steps": 600, "rate": rate, "share": 0.05, "seed": 100}
    store(__file__, found, again=("up", entry), tol=0.02)

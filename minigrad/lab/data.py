"""The data of the book: two sets that ship with scikit-learn, three made from a seed, two texts,
and new text without end.

The sets are small arrays ``x`` of shape (N, D), float64, and integer labels ``y`` of shape (N,).
Everything random takes ``rng``, a ``numpy.random.Generator``.

>>> x, y = iris()
>>> x.shape, y.shape, np.bincount(y)
((150, 4), (150,), array([50, 50, 50]))
>>> (x_train, y_train), (x_test, y_test) = split(x, y, rng=np.random.default_rng(0))
>>> x_train, x_test = standardize(x_train, x_test)
"""

import functools

import numpy as np

#: What the texts are written in; a letter's number is its place.
LETTERS = " abcdefghijklmnopqrstuvwxyz"


def iris():
    """Fisher's irises: 150 flowers, 4 lengths in cm, 3 species of 50 (Fisher 1936)."""
    from sklearn.datasets import load_iris  # here, because it takes a second to import

    return load_iris(return_X_y=True)


def digits():
    """1797 handwritten digits of 8 × 8 pixels, as rows of 64 values in [0, 1] (UCI, 1998)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16, y


def two_moons(n=200, noise=0.1, *, rng):
    """Two interleaved half circles of radius 1, with normal noise: (n, 2) and labels 0, 1."""
    y = np.arange(n) % 2
    angle = np.pi * rng.random(n)
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    x[y == 1] = [1, 0.5] - x[y == 1]
    return x + noise * rng.standard_normal((n, 2)), y


def blobs(n=200, classes=3, spread=0.5, *, rng):
    """Normal clouds of standard deviation ``spread`` around points of a circle of radius 2."""
    y = np.arange(n) % classes
    angle = 2 * np.pi * y / classes
    centres = 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    return centres + spread * rng.standard_normal((n, 2)), y


def spirals(n=300, classes=3, noise=0.2, *, rng):
    """Intertwined spiral arms in the unit disc; ``noise`` in radians along the angle."""
    y = np.arange(n) % classes
    radius = rng.random(n)
    angle = 2 * np.pi * y / classes + 4 * radius + noise * rng.standard_normal(n)
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), y


def split(x, y, fraction=0.8, *, rng):
    """Shuffle, then cut in two: ``(x_train, y_train), (x_test, y_test)``.

    Each class is cut in the same proportion, so that a small test set still has all of them.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"split: fraction must be between 0 and 1, got {fraction}")
    train = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        train[members[: round(fraction * len(members))]] = True
    parts = (rng.permutation(np.flatnonzero(part)) for part in (train, ~train))
    return tuple((x[part], y[part]) for part in parts)


def standardize(train, *others):
    """Every feature to mean 0 and variance 1, by the statistics of ``train`` alone.

    A feature that never varies in ``train`` becomes 0 there instead of being divided by 0.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    scaled = [(x - mean) / deviation for x in (train, *others)]
    return scaled if others else scaled[0]


def batches(n, size, *, rng):
    """Index arrays of one epoch's mini-batches: all of ``0 … n − 1`` once, in random order."""
    if not 1 <= size <= n:
        raise ValueError(f"batches: size must be in [1, {n}], got {size}")
    order = rng.permutation(n)
    return [order[i : i + size] for i in range(0, n, size)]


def texts():
    """A text in English and one in pinyin without tones, in the letters a–z and spaces only.

    Lincoln's address at Gettysburg (1863, 1420 characters) and Tao Yuanming's 桃花源记 (421, 1282
    characters): both are in the public domain.
    """
    return " ".join(_ADDRESS.split()), " ".join(_PEACH_BLOSSOM.split())


@functools.cache
def _trigrams():
    """The triples of letters in the texts, how often each occurs, and the law of what follows."""
    ring = [LETTERS.index(c) for text in texts() for c in text + " "]
    follow = {}
    for i in range(len(ring)):
        three = tuple(ring[(i + j) % len(ring)] for j in range(3))
        follow.setdefault(three, np.zeros(27))[ring[(i + 3) % len(ring)]] += 1
    counts = np.array(list(follow.values()))
    total = counts.sum(axis=1)
    return np.array(list(follow)), total / total.sum(), counts / total[:, None]


def letters(number, length, *, rng):
    """New text whose law is known: each letter is drawn by the three before it (Shannon 1948, § 3).

    The frequencies are those of the two :func:`texts`, read as one ring, so every triple that comes
    up has a continuation, and text never ends. A model of it can be scored exactly: by the
    Kullback–Leibler divergence of its prediction from the law.

    Args:
        number: of sequences.
        length: of each, 3 or more.

    Returns:
        ``letters``, (number, length) integers below 27, and ``laws``, (number, length - 3, 27): the
        distribution from which each letter after the third was drawn.

    >>> seen, laws = letters(3000, 33, rng=np.random.default_rng(0))
    >>> print("".join(LETTERS[k] for k in seen[0]))
    lve the lu nation of the per to b
    >>> entropy = -(laws * np.log(np.where(laws > 0, laws, 1))).sum(axis=-1).mean()
    >>> print(f"{entropy:.2f} nats a letter")
    0.78 nats a letter
    """
    if length < 3:
        raise ValueError(f"letters: length must be 3 or more, the first triple, got {length}")
    contexts, often, chances = _trigrams()
    index = np.full(27**3, -1)
    powers = np.array([729, 27, 1])
    index[contexts @ powers] = np.arange(len(contexts))
    now = rng.choice(len(contexts), size=number, p=often)
    seen, laws, cumulative = [*contexts[now].T], [], chances.cumsum(axis=1)
    while len(seen) < length:
        laws.append(chances[now])
        drawn = (rng.random((number, 1)) * cumulative[now, -1:] >= cumulative[now]).sum(axis=1)
        seen.append(drawn)
        now = index[np.column_stack(seen[-3:]) @ powers]
    return np.column_stack(seen), np.stack(laws, axis=1) if laws else np.zeros((number, 0, 27))


_ADDRESS = """
four score and seven years ago our fathers brought forth on this continent a new nation conceived
in liberty and dedicated to the proposition that all men are created equal now we are engaged in a
great civil war testing whether that nation or any nation so conceived and so dedicated can long
endure we are met on a great battle field of that war we have come to dedicate a portion of that
field as a final resting place for those who here gave their lives that that nation might live it
is altogether fitting and proper that we should do this but in a larger sense we can not dedicate
we can not consecrate we can not hallow this ground the brave men living and dead who struggled
here have consecrated it far above our poor power to add or detract the world will little note nor
long remember what we say here but it can never forget what they did here it is for us the living
rather to be dedicated here to the unfinished work which they who fought here have thus far so
nobly advanced it is rather for us to be here dedicated to the great task remaining before us that
from these honored dead we take increased devotion to that cause for which they gave the last full
measure of devotion that we here highly resolve that these dead shall not have died in vain that
this nation under god shall have a new birth of freedom and that government of the people by the
people for the people shall not perish from the earth
"""

_PEACH_BLOSSOM = """
jin tai yuan zhong wu ling ren bu yu wei ye yuan xi xing wang lu zhi yuan jin hu feng tao hua lin
jia an shu bai bu zhong wu za shu fang cao xian mei luo ying bin fen yu ren shen yi zhi fu qian
xing yu qiong qi lin lin jin shui yuan bian de yi shan shan you xiao kou fang fu ruo you guang bian
she chuan cong kou ru chu ji xia cai tong ren fu xing shu shi bu huo ran kai lang tu di ping kuang
wu she yan ran you liang tian mei chi sang zhu zhi shu qian mo jiao tong ji quan xiang wen qi zhong
wang lai zhong zuo nan nv yi zhuo xi ru wai ren huang fa chui tiao bing yi ran zi le jian yu ren
nai da jing wen suo cong lai ju da zhi bian yao huan jia she jiu sha ji zuo shi cun zhong wen you
ci ren xian lai wen xun zi yun xian shi bi qin shi luan shuai qi zi yi ren lai ci jue jing bu fu
chu yan sui yu wai ren jian ge wen jin shi he shi nai bu zhi you han wu lun wei jin ci ren yi yi
wei ju yan suo wen jie tan wan yu ren ge fu yan zhi qi jia jie chu jiu shi ting shu ri ci qu ci
zhong ren yu yun bu zu wei wai ren dao ye ji chu de qi chuan bian fu xiang lu chu chu zhi zhi ji
jun xia yi tai shou shuo ru ci tai shou ji qian ren sui qi wang xun xiang suo zhi sui mi bu fu de
lu nan yang liu zi ji gao shang shi ye wen zhi xin ran gui wang wei guo xun bing zhong hou sui wu
wen jin zhe
"""

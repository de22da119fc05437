"""The data that chapters train on."""


import numpy as np
import pytest

from minigrad.lab import data

rng = np.random.default_rng


def test_real_data():
    x, y = data.iris()
    assert x.shape == (150, 4) and np.bincount(y).tolist() == [50, 50, 50]
    x, y = data.digits()
    assert x.shape == (1797, 64) and x.min() == 0 and x.max() == 1 and set(y) == set(range(10))


def test_texts():
    english, pinyin = data.texts()
    assert (len(english), len(pinyin)) == (1420, 1282)
    assert set(english + pinyin) == set("abcdefghijklmnopqrstuvwxyz ")
    assert english.startswith("four score and seven years ago our fathers ")
    assert english.endswith(" shall not perish from the earth")
    assert pinyin.startswith("jin tai yuan zhong ") and pinyin.endswith(" wu wen jin zhe")
    assert "  " not in english + pinyin


@pytest.mark.parametrize("make, classes", [
    (data.two_moons, 2), (data.blobs, 3), (data.spirals, 3),
])  # fmt: skip
def test_made_data(make, classes):
    (x, y), (again, _), (other, _) = (make(60, rng=rng(seed)) for seed in (0, 0, 1))
    assert x.shape == (60, 2) and np.bincount(y).tolist() == [60 // classes] * classes
    np.testing.assert_array_equal(x, again)
    assert (x != other).any()


def test_shapes_of_made_data():
    x, y = data.two_moons(400, 0, rng=rng(0))
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1)
    assert (x[y == 0, 1] >= 0).all() and (x[y == 1, 1] <= 0.5).all()
    x, y = data.spirals(300, noise=0, rng=rng(0))
    turned = np.arctan2(*x.T[::-1]) - 4 * np.hypot(*x.T) - 2 * np.pi * y / 3
    np.testing.assert_allclose(np.cos(turned), 1)


def test_split_and_standardize():
    x, y = data.iris()
    (a, ya), (b, yb) = data.split(x, y, 0.8, rng=rng(0))
    assert np.bincount(ya).tolist() == [40] * 3 and np.bincount(yb).tolist() == [10] * 3
    assert sorted(map(tuple, np.vstack([a, b]))) == sorted(map(tuple, x))
    a, b = data.standardize(a, b)
    np.testing.assert_allclose(a.mean(0), 0, atol=1e-13)
    np.testing.assert_allclose(a.std(0), 1)
    assert np.abs(b.mean(0)).max() > 1e-3  # by the statistics of the first
    assert np.array_equal(data.standardize(np.ones((3, 1))), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="fraction"):
        data.split(x, y, 1.0, rng=rng(0))


def test_batches():
    parts = data.batches(10, 4, rng=rng(0))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert sorted(np.concatenate(parts)) == list(range(10)) != np.concatenate(parts).tolist()
    with pytest.raises(ValueError, match="size"):
        data.batches(10, 0, rng=rng(0))


def test_letters_follow_the_law_that_is_handed_out():
    seen, laws = data.letters(4000, 13, rng=rng(0))
    assert seen.shape == (4000, 13) and laws.shape == (4000, 10, 27)
    np.testing.assert_allclose(laws.sum(axis=-1), 1)
    # the law, counted anew in the text by strings
    ring = "".join(text + " " for text in data.texts())
    ring += ring[:3]
    for row, law in zip(seen[:20], laws[:20]):
        text = "".join(data.LETTERS[k] for k in row)
        for t in range(10):
            three = text[t : t + 3]
            follow = [ring[i + 3] for i in range(len(ring) - 3) if ring.startswith(three, i)]
            want = [follow.count(letter) / len(follow) for letter in data.LETTERS]
            np.testing.assert_allclose(law[t], want)
    # the letters: by law, each is drawn with the probability of its index below 14
    low = (seen[:, 3:] < 14) - laws[..., :14].sum(axis=-1)
    spread = np.sqrt((laws[..., :14].sum(-1) * laws[..., 14:].sum(-1)).sum())
    assert abs(low.sum()) < 4 * spread
    assert np.array_equal(data.letters(5, 3, rng=rng(1))[1], np.zeros((5, 0, 27)))
    with pytest.raises(ValueError, match="length"):
        data.letters(5, 2, rng=rng(0))

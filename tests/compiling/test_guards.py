"""Never silently wrong: what a replay would get wrong is noticed, and each guard is provoked here."""

import itertools
import threading
import warnings

import numpy as np
import pytest

from compares import compares
from minigrad import Tensor, grad, losses, nn, no_grad, optim
from minigrad.compiling import CompileError, compile

X = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
Y = np.array([0, 2, 1])


def calls(f, *args, n=6):
    return [f(*args) for _ in range(n)]


def network(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(4, 5, rng=rng), np.tanh, nn.Linear(5, 3, rng=rng))


def training(seed=0, lr=0.1):
    net = network(seed)
    opt = optim.Adam(net.parameters(), lr=lr)
    return net, opt, compile(lambda x, y: losses.cross_entropy(net(x), y), opt)


# --- looking at a value while recording


def leaf():
    return Tensor(X, requires_grad=True)


LOOKS = {
    "if": lambda x: x * 2 if x.sum() > 0 else x,
    "float": lambda x: x * float(x.sum()),
    "int": lambda x: x[: int(x.data.sum())],
    "item": lambda x: x * x.sum().item(),
    "array": lambda x: x * np.asarray(x.data).sum(),
    "loop": lambda x: sum(v for v in x.data[0]) * x,
    "while": lambda x: next(x / n for n in range(1, 9) if (x / n).sum() < 100),
    "print": lambda x: x * len(f"{x.sum().item():.2f}"),
    "contains": lambda x: x * (0.5 in x.data),
    "list": lambda x: x * x.data.tolist()[0][0],
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_a_value_raises_and_names_the_line(look):
    f = LOOKS[look]

    def looking(x):
        return f(x + 1)

    fast = compile(looking)
    x = Tensor(X)
    fast(x)
    with pytest.raises(CompileError, match=r"test_guards.py:\d+ (looks|asks|makes)"):
        fast(x)
    assert type(x.data) is np.ndarray


def test_after_a_failed_recording_all_is_as_it_was():
    net = network()
    opt = optim.Adam(net.parameters(), lr=0.1)
    rng = np.random.default_rng(3)

    def f(x, y):
        z = net(x) + rng.normal(size=3)
        loss = losses.cross_entropy(z, y)
        return loss * 2 if loss > 0 else loss

    fast = compile(f, opt)
    fast(X, Y)
    before, state, drawn = net.state_dict(), opt.state_dict(), rng.bit_generator.state
    for _ in range(3):
        with pytest.raises(CompileError, match="asks whether"):
            fast(X, Y)
    for key, value in net.state_dict().items():
        assert type(value) is np.ndarray and np.array_equal(value, before[key])
    assert repr(opt.state_dict()) == repr(state) and rng.bit_generator.state == drawn


SHAPES = {
    "mask": lambda x: x[x > 0].sum(),
    "nonzero": lambda x: x.sum() + np.nonzero(x)[0].sum(),
    "where": lambda x: np.where(x > 0)[0].sum(),
    "write": lambda x: np.zeros_like(x).__setitem__(x > 0, np.ones(6)),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes_that_depend_on_numbers_are_refused(kind):
    fast = compile(SHAPES[kind])
    fast(X)
    with pytest.raises(CompileError, match="shape depends on numbers"):
        fast(X)


# --- what varies and is no argument


def test_draws_from_a_generator_that_is_not_known():
    fast = compile(lambda x: x * np.random.random_sample())  # noqa: NPY002
    fast(X)
    fast(X)
    with pytest.raises(CompileError, match="differs from call to call"):
        fast(X)


def test_draws_from_a_generator_that_is_known_are_drawn_anew():
    def make():
        rng = np.random.default_rng(0)
        return lambda x: (
            x * rng.normal(size=x.shape),
            x + rng.random(),
            x * rng.integers(9),
            rng.permutation(4),
        )

    f, fast = make(), compile(make())
    for _ in range(20):
        for a, b in zip(f(X), fast(X)):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("kind", ["cell", "attribute", "class", "item", "global"])
def test_a_number_that_is_changed_is_noticed(kind):
    class Options:
        slope = 1.0

    options, table, number = Options(), {"scale": 1.0}, 1.0
    options.scale = 1.0
    globals()["SCALE"] = 1.0
    f = {
        "cell": lambda x: x * number,
        "attribute": lambda x: x * options.scale,
        "class": lambda x: x * options.slope,
        "item": lambda x: x * table["scale"],
        "global": lambda x: x * SCALE,  # noqa: F821
    }[kind]
    fast = compile(f)
    for i in range(12):
        if i == 5:
            number = options.scale = table["scale"] = Options.slope = 2.0
            globals()["SCALE"] = 2.0
        assert np.array_equal(fast(X), X * (1 + (i >= 5))), i


def test_an_array_that_is_changed_or_exchanged_is_noticed():
    w = np.ones(4)
    holder = {"w": np.ones(4)}
    frozen = Tensor(np.ones(4))
    fast = compile(lambda x: x * w + holder["w"] + frozen)
    for i in range(12):
        w += 1
        if i == 5:
            w = np.zeros(4)
        holder["w"] = np.full(4, float(i))
        if i % 3 == 0:
            holder["w"] *= 3
        frozen.data = np.full(4, 0.5 * i)
        expected = X * w + holder["w"] + frozen.data
        assert np.array_equal(fast(X).data, expected), i


def test_what_is_no_longer_there_is_noticed():
    class Options:
        pass

    options = Options()
    options.scale = 2.0
    globals()["SCALE"] = 3.0
    fast = compile(lambda x: x * options.scale * SCALE)  # noqa: F821
    calls(fast, X)
    del options.scale
    options.other = 1.0
    with pytest.raises(AttributeError, match="scale"):
        fast(X)
    options.scale = 4.0
    assert np.array_equal(fast(X), X * 12)
    del globals()["SCALE"]
    with pytest.raises(NameError, match="SCALE"):
        fast(X)


def test_names_that_a_program_has_too():
    type, len, slice, kept = {"a": 3.0}, np.ones(3), 2.0, np.zeros((3, 4))

    def tanh(more, result, add, next):
        kept[...] = result
        return np.tanh(more[:, 1:]) * type["a"] + len * slice + (add + next)[:, 1:]

    fast = compile(tanh)
    for i in range(6):
        assert np.array_equal(fast(X, X + i, X, X), tanh(X, X + i, X, X))
        assert np.array_equal(kept, X + i)


SHARED = np.array([1.0, 2.0, 3.0, 4.0])


def half_of_it(x):
    return x * SHARED


def test_two_functions_may_refer_to_one_global_array():
    fast = compile(lambda x: half_of_it(x) + SHARED)
    with_it = [fast(np.full(4, 2.0 + i)).data for i in range(4)]
    np.testing.assert_array_equal(with_it, [(3.0 + i) * SHARED for i in range(4)])
    SHARED[0] += 5
    np.testing.assert_array_equal(fast(np.ones(4)).data, 2 * SHARED)
    SHARED[0] -= 5


def test_side_effects_are_refused():
    seen, n = [], 0

    def appends(x):
        seen.append(1)
        return x * 2

    def counts(x):
        nonlocal n
        n += 1
        return x * n

    class Counting(nn.Module):
        def __init__(self):
            self.count = 0

        def forward(self, x):
            self.count += 1
            return x

    module = Counting()
    for f in (appends, counts, module, lambda x: module(x)):
        fast = compile(f)
        fast(X)
        with pytest.raises(CompileError, match="adds to a list|assigns to"):
            calls(fast, X, n=2)


def test_what_cannot_be_watched_is_found_at_the_next_check():
    source = itertools.chain([1.0] * 10, itertools.repeat(2.0))
    fast = compile(lambda x: x * next(source))
    for _ in range(7):
        fast(X)
    for _ in range(100):  # replays do not draw from the source
        next(source)
    with pytest.raises(CompileError, match="since some call after number 0"):
        fast(X)
    for _ in range(10):  # the program is forgotten
        assert np.array_equal(fast(X), 2.0 * X)


def test_a_check_that_refuses_forgets_the_program():
    count = itertools.count()
    fast = compile(lambda x: x * (2 if next(count) < 3 else x.sum().item()))
    calls(fast, X, n=7)
    for what in ("something that is no argument", "looks at a number", "looks at a number"):
        with pytest.raises(CompileError, match=f"{what}.* differs from call to call"):
            fast(X)


@pytest.mark.parametrize("factor", [1.0, 3.0])
@pytest.mark.parametrize("alike", [2, 3])  # it differs in the second recording, at the first check
def test_a_difference_cannot_be_swallowed(alike, factor):
    source = itertools.chain([factor] * alike, itertools.repeat(2.0))

    def f(x):
        try:
            return x * next(source)
        except Exception:
            return x

    fast = compile(f)
    with pytest.raises(CompileError, match="does not do the same"):
        calls(fast, X, n=16)


def test_a_check_in_other_surroundings_or_with_another_branch():
    net1, opt1, _ = training()
    net2, opt2, fast = training()
    for i in range(40):
        for net, opt in ((net1, opt1), (net2, opt2)):
            if i == 7:
                opt.param_groups[0]["betas"] = (0.8, 0.9)
                net.layers = (*net.layers, np.tanh)
        y = np.array([0, -100 if i == 7 else 1, 2])
        opt1.zero_grad()
        loss = losses.cross_entropy(net1(X), y)
        loss.backward()
        opt1.step()
        assert fast(X, y) == loss.item(), i
    assert fast.checked_at == 8


@compares("torch", "compile")
def test_checks_do_not_disturb():
    net1, opt1, _ = training()
    net2, _, fast = training()
    for i in range(140):
        opt1.zero_grad()
        loss = losses.cross_entropy(net1(X * i), Y)
        loss.backward()
        opt1.step()
        assert fast(X * i, Y) == loss.item(), i
    assert fast.checked_at == 128


# --- gradients


def test_gradients_after_a_step_are_right_and_backward_inside_is_refused():
    net, opt, fast = training()
    for _ in range(5):
        expected = grad(losses.cross_entropy(net(X), Y), net.parameters())
        fast(X, Y)
        for p, g in zip(net.parameters(), expected):
            assert np.array_equal(p.grad, g.data)
    opt.zero_grad()
    fast(X, Y)
    assert all(p.grad is not None for p in net.parameters())

    def f(x):
        losses.cross_entropy(net(x), Y).backward()
        return net(x)

    inside = compile(f)
    inside(X)
    with pytest.raises(CompileError, match="calls backward"):
        inside(X)


def test_a_graph_from_before_a_step_raises():
    net, _, fast = training()
    calls(fast, X, Y)
    loss = losses.cross_entropy(net(X), Y)
    fast(X, Y)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_an_exception_in_the_middle_forgets_the_gradients_and_keeps_the_parameters():
    net, _, fast = training()
    calls(fast, X, Y)
    before = net.state_dict()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        fast(X * np.inf, Y)
    assert all(p.grad is None for p in net.parameters())
    for key, value in net.state_dict().items():
        assert np.array_equal(value, before[key])
    assert np.isfinite(fast(X, Y))


# --- labels, shapes, types


@pytest.mark.parametrize("n", [2, 5, 7])  # when it would be recorded, replayed, recorded again
def test_labels_are_checked_as_before(n):
    net, _, fast = training()
    calls(fast, X, Y, n=n)
    before = net.state_dict()
    for bad in (3, -1):
        with pytest.raises(ValueError, match=rf"target must be in \[0, 3\), got {bad} at row 2"):
            fast(X, np.array([0, 2, bad]))
    assert all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())


def test_another_branch_of_the_library_is_taken():
    net1, opt1, _ = training()
    net2, _, fast = training()
    for i in range(20):
        y = np.array([0, -100 if i % 3 == 2 else 1, 2])
        opt1.zero_grad()
        loss = losses.cross_entropy(net1(X), y)
        loss.backward()
        opt1.step()
        assert fast(X, y) == loss.item(), i


def test_draws_before_a_check_that_fails_are_taken_back():
    def make():
        net = nn.Sequential(nn.Dropout(0.5, rng=np.random.default_rng(0)), network())
        return net, optim.SGD(net.parameters(), lr=0.1)

    (net1, opt1), (net2, opt2) = make(), make()
    fast = compile(lambda x, y: losses.cross_entropy(net2(x), y), opt2)
    for i in range(20):
        y = np.array([0, -100 if i % 3 == 2 else 1, 2])
        opt1.zero_grad()
        loss = losses.cross_entropy(net1(X), y)
        loss.backward()
        opt1.step()
        assert fast(X, y) == loss.item(), i


def test_new_shapes_dtypes_layouts_and_options_are_recorded_anew():
    fast = compile(lambda x, k, flag=None: (x @ x.T).sum() * k if flag is None else x)
    given = [X, X[:2], X.astype(np.float32), np.asfortranarray(X), X[:, ::-1], X[::2]]
    for _ in range(5):
        for x in given:
            for k in (2, 3.5):
                got = fast(x, k)
                assert got == (x @ x.T).sum() * k and got.dtype == x.dtype
        assert fast(X, 2, "as it is") is not X


def test_arguments_that_are_no_arrays():
    fast = compile(lambda x: x)
    with pytest.raises(TypeError, match="arguments are arrays"):
        fast([1.0])
    with pytest.raises(TypeError, match="compile: f must be a function, got 3"):
        compile(3)
    with pytest.raises(TypeError, match="minigrad.optim"):
        compile(lambda x: x, 3)
    with pytest.raises(ValueError, match="clip"):
        compile(lambda x: x, clip=1.0)
    with pytest.raises(ValueError, match="third call"):
        fast.source
    calls(fast, X)
    with pytest.raises(TypeError):
        fast(X, X)
    with pytest.raises(TypeError):
        fast()


def test_the_argument_is_not_changed_and_results_are_ones_own():
    def changes(x):
        x += 1
        return x

    fast = compile(changes)
    fast(X.copy())
    with pytest.raises(CompileError, match="its argument x in place"):
        fast(X.copy())

    fast = compile(lambda x: (x, x * 2, x.sum(0), Tensor(x).exp(), {"a": [x[0]]}, None, "s", 3))
    got = calls(fast, X, n=8)[1:]  # the first call is the ordinary function's
    for a, b, c, d, e, *rest in got:
        assert np.array_equal(a, X) and a is not X
        assert np.array_equal(b, X * 2) and np.array_equal(c, X.sum(0))
        assert np.array_equal(d.data, np.exp(X)) and np.array_equal(e["a"][0], X[0])
        assert rest == [None, "s", 3]
    first = got[4][1].copy()
    fast(X + 1)
    assert np.array_equal(got[4][1], first)


def test_tensors_as_arguments():
    fast = compile(lambda t: grad((t**3).sum(), t, create_graph=True) if t.requires_grad else t)
    for i in range(6):
        t = Tensor(X + i, requires_grad=True)
        assert np.array_equal(fast(t).data, 3 * (X + i) ** 2)
        assert np.array_equal(fast(Tensor(X)).data, X)


# --- memory


def test_arrays_that_are_kept_are_changed_in_place():
    kept, seen = np.zeros(4), np.zeros((), int)
    p = Tensor(np.ones(4), requires_grad=True)

    def f(x):
        nonlocal kept, seen
        kept *= 0.5
        kept += x.mean(0)
        seen += 1
        g = grad(((x * p) ** 2).sum(), p)
        with no_grad():
            p.data -= 0.1 * g.data
        return kept * 2

    slow_kept, q = np.zeros(4), Tensor(np.ones(4), requires_grad=True)
    fast = compile(f)
    for i in range(10):
        slow_kept *= 0.5
        slow_kept += X.mean(0)
        (g,) = grad(((X * q) ** 2).sum(), [q])
        q.data -= 0.1 * g.data
        assert np.array_equal(fast(X), slow_kept * 2), i
        assert np.array_equal(kept, slow_kept) and seen == i + 1 and np.array_equal(p.data, q.data)


def test_views_written_to_and_read_after_their_base_has_changed():
    def f(x):
        a = x * 1.5
        row, t, flat = a[1], a.T, a.reshape(-1)
        row += 10
        t[0] = 3
        flat[2:4] *= 2
        b = a + row
        a[...] = 0
        return a + 1, row * 1, t + flat.reshape(4, 3), b

    fast = compile(f)
    for i in range(6):
        for a, b in zip(f(X + i), fast(X + i)):
            assert np.array_equal(a, b), i


def test_two_names_for_one_memory():
    base = np.arange(8.0)
    part = base[2:5]

    def f(x):
        nonlocal part
        part += x
        return base * 2

    fast = compile(f)
    fast(np.ones(3))
    with pytest.raises(CompileError, match="read as a part of another"):
        fast(np.ones(3))
    assert np.array_equal(base, [0, 1, 3, 4, 5, 5, 6, 7])


def test_a_swap_of_two_arrays_that_are_kept_is_refused():
    a, b = np.zeros(3), np.ones(3)

    def f(x):
        c = a * 1
        a[...] = b
        b[...] = c
        return x + a

    fast = compile(f)
    expected = [np.ones(3), np.zeros(3)]
    try:
        for i in range(6):
            assert np.array_equal(fast(np.zeros(3)), expected[i % 2])
    except CompileError:
        pass


def test_writing_into_an_array_from_outside_is_refused():
    class Slots:
        __slots__ = ("a",)

    hidden = Slots()
    hidden.a = np.zeros((3, 4))

    def f(x):
        hidden.a += x
        return hidden.a * 1

    fast = compile(f)
    fast(X)
    with pytest.raises(CompileError, match="made outside"):
        fast(X)


def test_a_gradient_that_a_step_has_left_can_be_an_argument():
    def make():
        net = network()
        opt = optim.SGD(net.parameters(), lr=0.1)
        return (
            net,
            opt,
            lambda x, y, g: losses.cross_entropy(net(x), y) + (net.layers[0].weight * g).sum(),
        )

    (net1, opt1, f1), (net2, opt2, f2) = make(), make()
    fast = compile(f2, opt2)
    g1 = g2 = np.zeros((5, 4))
    for i in range(12):
        opt1.zero_grad()
        loss = f1(X, Y, g1)
        loss.backward()
        opt1.step()
        assert fast(X, Y, g2) == loss.item(), i
        g1, g2 = net1.layers[0].weight.grad, net2.layers[0].weight.grad
        if i % 2:
            g1, g2 = g1[::1], g2[::1]


def test_a_group_that_is_added_is_noticed():
    for kind in (optim.SGD, optim.RAdam):
        nets = [network(), network(1)], [network(), network(1)]
        opts = [kind(a.parameters(), lr=0.1) for a, _ in nets]
        fs = [lambda x, y, a=a, b=b: losses.cross_entropy(a(x) + b(x), y) for a, b in nets]
        fast = compile(fs[1], opts[1])
        for i in range(12):
            if i == 6:
                for opt, (_, b) in zip(opts, nets):
                    opt.add_param_group({"params": b.parameters()})
            opts[0].zero_grad()
            loss = fs[0](X, Y)
            loss.backward()
            opts[0].step()
            assert fast(X, Y) == loss.item(), (kind, i)


# --- warnings, threads, one inside of the other


def test_warnings_are_those_of_the_ordinary_function():
    def f(x):
        with np.errstate(over="ignore"):
            y = np.exp(x * 1000)
        return y, np.sqrt(-x)

    fast = compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls(fast, np.ones(3))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fast(np.ones(3))
    assert [str(w.message) for w in seen] == ["invalid value encountered in sqrt"]


def test_threads_with_networks_of_their_own():
    def run(seed, out):
        net, _, fast = training(seed)
        out[seed] = [fast(X + i, Y).item() for i in range(40)], net.state_dict()

    alone, together = {}, {}
    for seed in range(6):
        run(seed, alone)
    threads = [threading.Thread(target=run, args=(seed, together)) for seed in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for seed in range(6):
        assert alone[seed][0] == together[seed][0]


def test_threads_that_share_one_compiled_function():
    fast = compile(lambda x: np.tanh(x @ x.T).sum(0) * np.exp(x[:, 0]))
    wrong = []

    def run(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            x = rng.normal(size=(5, 5))
            if not np.array_equal(fast(x), np.tanh(x @ x.T).sum(0) * np.exp(x[:, 0])):
                wrong.append(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_one_inside_of_another():
    inner = compile(lambda x: x * 2)
    outer = compile(lambda x: inner(x) + 1)
    for i in range(6):
        assert np.array_equal(outer(X + i), (X + i) * 2 + 1)
    net, _, step = training()
    calls(step, X, Y)
    outer = compile(lambda x: step(x, Y))
    outer(X)
    with pytest.raises(CompileError, match="step of training inside"):
        outer(X)


def test_what_a_recording_leaves_behind_says_so():
    class Keeper:
        __slots__ = ("kept",)

    keeper = Keeper()

    def f(x):
        keeper.kept = x * 2
        return x

    fast = compile(f)
    calls(fast, X, n=2)
    with pytest.raises(CompileError, match="after it has ended"):
        keeper.kept + 1


def test_bad_results():
    net, opt, _ = training()
    fast = compile(lambda x: net(x).data, opt)
    with pytest.raises(TypeError, match="must be a Tensor or a list of them, got ndarray"):
        fast(X)
    fast = compile(lambda x: net(x), opt)
    with pytest.raises(RuntimeError, match="gradient starts from one number"):
        fast(X)

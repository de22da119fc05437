"""Parameter groups, their options, and schedules."""

import copy
import inspect
import operator

import numpy as np
import pytest

from bowl import ALL, close, drive, leaves, shapes_for, slope, snapshot
from minigrad import Tensor, optim


def test_groups_of_all(name):
    shapes = shapes_for(name)
    params, others = leaves(shapes), leaves(shapes)
    opt = ALL[name]([{"params": params[0], "lr": 0.05}, {"params": iter(params[1:])}], lr=0.01)
    assert [g["lr"] for g in opt.param_groups] == [0.05, 0.01]
    assert opt.lr == 0.01  # of the groups without one of their own
    if name != "SWATS":
        first, rest = ALL[name](others[:1], lr=0.05), ALL[name](others[1:], lr=0.01)
        for t in range(8):
            for i, (p, q) in enumerate(zip(params, others)):
                p.grad = q.grad = slope(p.numpy(), i, t)
            opt.step(), first.step(), rest.step()
        close([p.data for p in params], [q.data for q in others], rtol=1e-12)
    opt.lr = 0.5
    assert [g["lr"] for g in opt.param_groups] == [0.5, 0.5]


@pytest.mark.parametrize("name", [n for n in ALL if n != "Lookahead"])
def test_the_options_are_those_of_the_signature(name):
    """In its order, with its defaults; the rule is called with all of them."""
    parameters = inspect.signature(ALL[name]).parameters
    (group,) = ALL[name](leaves(shapes_for(name))).param_groups
    apart = {"hessian"} if name == "Sophia" else set()
    assert [*parameters][0] == "params"
    assert [k for k in parameters if k not in {"params", *apart}] == [*group.options][
        : len(parameters) - 1 - len(apart)
    ]
    for key, value in group.options.items():
        if key not in ("base_lr", "gamma"):
            assert value == parameters[key].default
    rule = inspect.signature(ALL[name].update).parameters
    if name not in ("AdamW", "SGDW"):  # they pass most on
        assert [*rule][:4] == ["self", "theta", "g", "state"]
        assert {*rule} - {"self", "theta", "g", "state"} == {*group.options} - {"maximize"}


def test_options_that_go_together_are_assigned_together():
    params, others = leaves(), leaves()
    a, b = optim.SGD(params, lr=0.1), optim.SGD(others, lr=0.1, momentum=0.9, nesterov=True)
    a.param_groups[0].update(momentum=0.9, nesterov=True)
    drive(a, params, 9)
    drive(b, others, 9)
    close([p.data for p in params], [p.data for p in others], rtol=0, atol=0)
    group = a.param_groups[0]
    group |= {"lr": np.float32(0.5)}
    assert type(a.lr) is float and a.lr == 0.5


def test_options_can_be_changed_between_steps():
    params, others = leaves(), leaves()
    a, b = optim.SGD(params, lr=0.1), optim.SGD(others, lr=0.1, momentum=0.5)
    a.param_groups[0]["momentum"] = 0.5
    b.step()
    drive(a, params, 9)
    drive(b, others, 9)
    close([p.data for p in params], [p.data for p in others], rtol=0, atol=0)
    opt = optim.Adam(params)
    drive(opt, params, 3)
    opt.param_groups[0]["amsgrad"] = True
    drive(opt, params, 3)


@pytest.mark.parametrize(
    "change,words",
    [
        (lambda group: group.pop("momentum"), "cannot be taken away"),
        (lambda group: group.pop("momentum", 0.9), "cannot be taken away"),
        (lambda group: group.popitem(), "cannot be taken away"),
        (lambda group: group.clear(), "cannot be taken away"),
        (lambda group: operator.delitem(group, "lr"), "cannot be taken away"),
        (lambda group: group.update(rho=0.9), "the options are lr, .*maximize; unknown: rho"),
        (lambda group: group.update({"lr": 0.5, "params": []}), "unknown: params"),
        (lambda group: operator.ior(group, {"lr": 0.5, "eps": 1.0}), "unknown: eps"),
        (lambda group: group.update([("lr", 0.5), ("momentum", 1.0)]), "momentum must be in"),
        (lambda group: group.update(nesterov=True), "nesterov needs momentum > 0"),
        (lambda group: operator.setitem(group, "nesterov", True), "nesterov needs momentum > 0"),
    ],
)
def test_a_group_refuses_what_is_no_option(change, words):
    group = optim.SGD(leaves()).param_groups[0]
    before = dict(group)
    with pytest.raises(ValueError, match=f"SGD: .*{words}"):
        change(group)
    assert group == before


def test_schedule_sets_the_rate_of_each_step(name):
    seen = []

    def f(t):
        seen.append(t)
        return 0.1 / (t + 1)

    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.3)
    assert opt.schedule(f) is opt and opt.lr == 0.3
    for t in range(3):
        drive(opt, params, 1, first=t)
        assert opt.lr == 0.1 / (t + 1) and seen == list(range(t + 1))
    by_hand, others = leaves(shapes_for(name)), None
    opt = ALL[name](by_hand, lr=0.1)  # AdaBound's bounds hang on the first rate
    others = leaves(shapes_for(name))
    scheduled = ALL[name](others, lr=0.1).schedule(lambda t: 0.1 / (t + 1))
    for t in range(20):
        opt.lr = 0.1 / (t + 1)
        drive(opt, by_hand, 1, first=t)
        drive(scheduled, others, 1, first=t)
    close([p.data for p in others], [p.data for p in by_hand], rtol=1e-12)


def test_schedule_must_be_a_function():
    with pytest.raises(TypeError, match="a schedule must be a function of the step, got 0.1"):
        optim.SGD(leaves()).schedule(0.1)


# --- schedules keep the ratio of the groups


def two_groups(name, **options):
    params = leaves(shapes_for(name)[:2])
    groups = [{"params": params[0], "lr": 0.1}, {"params": params[1], "lr": 0.01}]
    return params, ALL[name](groups, **options)


def rates(opt):
    return [group["lr"] for group in opt.param_groups]


def test_groups_keep_their_ratio_under_a_schedule(name):
    params, opt = two_groups(name)
    assert opt.lr == 0.1  # all have their own: that of the first
    opt.schedule(lambda t: [0.5, 0.0, 0.2][t])
    for want in [0.5, 0.05], [0.0, 0.0], [0.2, 0.02]:
        drive(opt, params, 1)
        np.testing.assert_allclose(rates(opt), want, rtol=1e-15)
        assert opt.lr == want[0]
    # one step of the second group is that of an optimizer with a tenth of the rate
    alone = leaves(shapes_for(name)[:2])[1]
    if name == "SWATS":
        return
    other = ALL[name]([alone], lr=0.01).schedule(lambda t: 0.05)
    params, opt = two_groups(name)
    opt.schedule(lambda t: 0.5)
    for t in range(4):
        for p in params:
            p.grad = slope(p.numpy(), 0, t)
        alone.grad = slope(alone.numpy(), 0, t)
        opt.step(), other.step()
    np.testing.assert_allclose(params[1].data, alone.data, rtol=1e-12)


def test_the_schedules_rate_is_that_of_the_groups_without_one_of_their_own(name):
    params = leaves(shapes_for(name)[:2])
    opt = ALL[name]([{"params": params[0], "lr": 0.01}, {"params": params[1]}], lr=0.1)
    opt.schedule(lambda t: 0.3)
    drive(opt, params, 1)
    np.testing.assert_allclose(rates(opt), [0.03, 0.3], rtol=1e-15)
    assert opt.lr == 0.3


def test_a_ratio_that_was_changed_before_the_schedule_counts():
    params, opt = two_groups("Adam")
    opt.lr = 0.2
    opt.param_groups[1]["lr"] = 0.05
    opt.schedule(lambda t: 0.4)
    drive(opt, params, 1)
    np.testing.assert_allclose(rates(opt), [0.4, 0.1], rtol=1e-15)


def test_a_ratio_to_a_rate_of_zero_is_refused(name):
    params = leaves(shapes_for(name)[:2])
    opt = ALL[name]([{"params": params[0]}, {"params": params[1], "lr": 0.1}], lr=0.0)
    with pytest.raises(ValueError, match="the optimizer's lr is 0"):
        opt.schedule(lambda t: 0.3)
    drive(opt, params, 1)
    assert rates(opt) == [0.0, 0.1]
    opt = ALL[name](params, lr=0.0).schedule(lambda t: 0.3)  # one group: all of it
    drive(opt, params, 1)
    assert opt.lr == 0.3


def test_a_schedule_out_of_range_for_one_group_changes_none(name):
    params, opt = two_groups(name)
    opt.param_groups[1]["lr"] = 1e10
    opt.schedule(lambda t: 1e305)
    before = snapshot(opt, params)
    for p in params:
        p.grad = np.ones(p.shape)
    with pytest.raises(ValueError, match="lr must be in .*got inf"):
        opt.step()
    np.testing.assert_equal(snapshot(opt, params), before)
    with pytest.raises(TypeError, match="lr must be a number in .*got '0.1'"):
        opt.schedule(lambda t: "0.1").step()


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_resumed_schedule_keeps_the_ratio(name, scheduled):
    """Also after a rate of 0, and whatever rates the new optimizer was made with."""

    def f(t):
        return 0.1 * (t % 3)

    params, opt = two_groups(name)
    if scheduled:
        opt.schedule(f)
        drive(opt, params, 4)
    again = leaves(shapes_for(name)[:2])
    for p, q in zip(again, params):
        p.data = q.data
    groups = [
        {"params": again[0], "lr": 0.1},
        {"params": again[1], "lr": 0.5 if scheduled else 0.01},
    ]
    other = ALL[name](groups).schedule(f)
    other.load_state_dict(opt.state_dict())
    if not scheduled:
        opt.schedule(f)
    drive(opt, params, 5, first=4)
    drive(other, again, 5, first=4)
    assert rates(other) == rates(opt)
    close([p.data for p in again], [p.data for p in params], rtol=0, atol=0)


# --- groups that come later


def test_a_group_added_before_the_first_step_is_as_one_from_the_start(name):
    shapes = shapes_for(name)
    params, others = leaves(shapes), leaves(shapes)
    whole = ALL[name]([{"params": params[:2]}, {"params": params[2:], "lr": 0.05}], lr=0.02)
    later = ALL[name](others[:2], lr=0.02)
    later.add_param_group({"params": iter(others[2:]), "lr": 0.05})
    assert rates(later) == [0.02, 0.05] and later.lr == 0.02
    drive(whole, params, 7), drive(later, others, 7)
    close([p.data for p in others], [p.data for p in params], rtol=0, atol=0)
    saved = later.state_dict()
    whole.load_state_dict(saved)
    np.testing.assert_equal(whole.state_dict(), saved)


def test_a_group_added_in_the_middle_begins_with_a_fresh_state(name):
    shapes = shapes_for(name)
    params, fresh = leaves(shapes), leaves(shapes)
    opt = ALL[name](params[:1], lr=0.02)
    drive(opt, params[:1], 6)
    opt.add_param_group({"params": params[1]})
    (entry,) = fresh[1:2]
    alone = ALL[name]([entry], lr=0.02)
    for t in range(6):
        for ps in (params[:2], [entry]):
            for p in ps:
                p.grad = slope(p.numpy(), 0, t)
        opt.step(), alone.step()
    if name != "SWATS":
        np.testing.assert_allclose(params[1].data, entry.data, rtol=1e-12)
    opt.zero_grad()
    assert params[1].grad is None


def test_a_group_added_in_the_middle_of_a_round_of_lookahead():
    params = leaves()[:2]
    opt = optim.Lookahead(optim.SGD(params[:1], lr=0.5), k=3, alpha=0.5)
    drive(opt, params[:1], 1)
    opt.add_param_group({"params": params[1]})
    first = params[1].data.copy()
    for _ in range(2):
        for p in params:
            p.grad = np.ones(p.shape)
        opt.step()
    np.testing.assert_allclose(params[1].data, first - 0.5)  # half of the way back from 2 steps
    opt.load_state_dict(opt.state_dict())


def test_a_group_added_while_the_average_is_shown():
    params = leaves()[:2]
    opt = optim.ScheduleFreeSGD(params[:1], lr=0.1)
    drive(opt, params[:1], 3)
    opt.eval()
    opt.add_param_group({"params": params[1]})
    before = params[1].data.copy()
    opt.train()
    assert (params[1].data == before).all()
    drive(opt, params, 3)


def test_a_group_added_under_a_schedule_has_its_share():
    params = leaves()[:3]
    opt = optim.AdaBound(params[:1], lr=0.1).schedule(lambda t: 0.2 / (1 + t))
    drive(opt, params[:1], 1)
    opt.add_param_group({"params": params[1]})
    opt.add_param_group({"params": params[2], "lr": 0.05})
    drive(opt, params, 1)
    np.testing.assert_allclose(rates(opt), [0.1, 0.1, 0.05], rtol=1e-15)
    assert [g["base_lr"] for g in opt.param_groups] == [0.1, 0.1, 0.05]
    # where every group has its own, a share is one of the first group's
    params = leaves()[:4]
    opt = optim.SGD([{"params": params[0], "lr": 0.1}, {"params": params[1], "lr": 0.01}])
    opt.schedule(lambda t: 0.5)
    opt.add_param_group({"params": params[2]})
    opt.add_param_group({"params": params[3], "lr": 0.02})
    drive(opt, params, 1)
    np.testing.assert_allclose(rates(opt), [0.5, 0.05, 0.5, 0.1], rtol=1e-15)


def test_a_later_group_does_not_change_a_saved_state():
    params, opt = two_groups("Adam")
    opt.schedule(lambda t: 0.5)
    saved = opt.state_dict()
    frozen = copy.deepcopy(saved)
    again, other = two_groups("Adam")
    other.load_state_dict(saved)
    for o in opt, other:
        o.add_param_group({"params": leaves()[2]})
    np.testing.assert_equal(saved, frozen)


@pytest.mark.parametrize(
    "group,error,words",
    [
        (lambda x, y: {"params": [x]}, ValueError, r"shape \(2, 2\) is given twice"),
        (lambda x, y: {"params": [y, y]}, ValueError, r"shape \(2, 2\) is given twice"),
        (lambda x, y: {"params": [y], "lr": -1.0}, ValueError, "lr must be in .*got -1.0"),
        (lambda x, y: {"params": [y], "rate": 1.0}, ValueError, "unknown: rate"),
        (lambda x, y: {"params": []}, ValueError, "has no parameters"),
        (lambda x, y: {"params": 3}, TypeError, "a list of tensors, got int"),
        (lambda x, y: {"params": [y * 2]}, TypeError, "leaf tensors"),
        (lambda x, y: [y], ValueError, 'a dict with an entry "params"'),
        (lambda x, y: {"lr": 0.1}, ValueError, 'a dict with an entry "params"'),
    ],
)
def test_a_group_that_is_refused_changes_nothing(group, error, words, name):
    x, y = (Tensor(np.ones((2, 2)), requires_grad=True) for _ in range(2))
    opt = ALL[name]([x])
    drive(opt, [x], 2)
    before = snapshot(opt, [x, y])
    with pytest.raises(error, match=words):
        opt.add_param_group(group(x, y))
    np.testing.assert_equal(snapshot(opt, [x, y]), before)
    assert len(opt.param_groups) == 1

"""Optimisers: every combination of keywords makes the steps of torch.optim."""

import functools
import inspect
import itertools
import math

import numpy as np
import pytest
import torch

import kb.learning.optimizers as kb
import kb.torch.learning.optimizers as kt
from kb.learning.gradient_descent import step
from tests.contract import EPS32, Case, contract, gpu_contract

GRADS = {"w": (4, 3), "b": (3,), "scale": np.array(0.7)}
CASES = [
    Case(kb.velocity, buffer=(5, 3), grad=(5, 3)),
    Case(kb.velocity, buffer=(5,), grad=(5,), momentum=0.5, dampening=0.25),
    Case(kb.running_mean, mean=(5, 3), value=(5, 3), beta=0.9),
    Case(kb.adam_direction, exp_avg=(5, 3), exp_avg_sq=np.arange(1.0, 16).reshape(5, 3), t=3),
    Case(kb.adam_direction, exp_avg=(5,), exp_avg_sq=np.arange(1.0, 6), t=1, betas=(0.5, 0.6), eps=0.1),
    *(Case(kb.clip_grad_norm, grads=GRADS, max_norm=m, norm_type=p) for m in (0.5, 99.0) for p in (1, 2, 3, math.inf)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

CHOICES = {
    "SGD": {"momentum": [0, 0.9], "dampening": [0, 0.3], "weight_decay": [0, 0.1], "nesterov": [False, True]},
    "RMSprop": {
        "alpha": [0.99, 0.5],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0, 0.1],
        "momentum": [0, 0.9],
        "centered": [False, True],
    },
    "Adam": {
        "betas": [(0.9, 0.999), (0.0, 0.5)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0, 0.1],
        "amsgrad": [False, True],
        "decoupled_weight_decay": [False, True],
    },
    "AdamW": {
        "betas": [(0.9, 0.999), (0.5, 0.9)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0, 0.1],
        "amsgrad": [False, True],
    },
}


def combinations():
    for name, choices in CHOICES.items():
        for values in itertools.product(*choices.values(), [False, True]):
            options = dict(zip([*choices, "maximize"], values, strict=True))
            if not options.get("nesterov") or (options["momentum"] and not options["dampening"]):
                yield pytest.param(name, options, id="-".join([name, *(f"{k}={v}" for k, v in options.items())]))


each_combination = pytest.mark.parametrize(("name", "options"), list(combinations()))
each_optimizer = pytest.mark.parametrize("name", CHOICES)


@functools.cache
def weights(dtype=np.float64):
    """One array of each kind: stored by rows, stored by columns as init_mlp's are, a vector, and a single number."""
    rng = np.random.default_rng(0)
    arrays = {"rows": rng.normal(size=(4, 3)), "columns": rng.normal(size=(3, 4)).T, "b": rng.normal(size=3)}
    return {name: a.astype(dtype) for name, a in arrays.items()} | {"scale": np.array(0.7, dtype)}


def noisy_slopes(params, t):
    """A gradient that depends on where the walk is, and is never small: the slope of -cos, and noise."""
    return {name: np.sin(p) + noise(t)[name].astype(p.dtype) for name, p in params.items()}


@functools.cache
def noise(t):
    rng = np.random.default_rng(t)
    return {name: rng.uniform(0.5, 1.5, p.shape) for name, p in weights().items()}


def fifty_steps(optimizer):
    path = [optimizer.params]
    for t in range(50):
        optimizer.lr = 0.02 if t < 30 else 0.01
        path.append(optimizer.step(noisy_slopes(path[-1], t)))
    return path


@functools.cache
def fifty_steps_of_torch(name, options, dtype):
    """torch.optim itself, driven as its documentation does, one tensor at a time; options: pairs of name and value."""
    leaves = {key: torch.tensor(p, requires_grad=True) for key, p in weights(dtype).items()}
    optimizer = getattr(torch.optim, name)(leaves.values(), lr=0.02, foreach=False, **dict(options))
    path = [{key: leaf.detach().numpy().copy() for key, leaf in leaves.items()}]
    for t in range(50):
        optimizer.param_groups[0]["lr"] = 0.02 if t < 30 else 0.01
        for leaf, grad in zip(leaves.values(), noisy_slopes(path[-1], t).values(), strict=True):
            leaf.grad = torch.tensor(grad)
        optimizer.step()
        path.append({key: leaf.detach().numpy().copy() for key, leaf in leaves.items()})
    return path


def equal_at_every_step(ours, theirs, tolerance):
    assert len(ours) == len(theirs) == 51
    for key, start in theirs[0].items():
        mine, expected = (np.stack([step[key] for step in path]) for path in (ours, theirs))
        assert mine.dtype == start.dtype
        np.testing.assert_allclose(mine, expected, rtol=tolerance, atol=tolerance)


# ---- the steps of torch ------------------------------------------------------------------------------------------
@each_combination
def test_each_of_50_steps_is_torchs(name, options):
    """In float32 each step rounds the weights once, by up to eps/2 of their size, and what is added a few times.

    `centered` divides by the root of a difference in which digits cancel: here one or two binary digits more.
    """
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, (200 if options.get("centered") else 50) * EPS32)):
        ours = fifty_steps(getattr(kb, name)(weights(dtype), 0.02, **options))
        equal_at_every_step(ours, fifty_steps_of_torch(name, tuple(options.items()), dtype), tolerance)


@each_combination
def test_each_step_of_the_twin_is_torchs(name, options):
    twin = getattr(kt, name)({key: torch.tensor(p) for key, p in weights().items()}, 0.02, **options)
    path = [{key: p.numpy() for key, p in twin.params.items()}]
    for t in range(50):
        twin.lr = 0.02 if t < 30 else 0.01
        after = twin.step({key: torch.tensor(g) for key, g in noisy_slopes(path[-1], t).items()})
        path.append({key: p.numpy() for key, p in after.items()})
    equal_at_every_step(path, fifty_steps_of_torch(name, tuple(options.items()), np.float64), 1e-12)


@each_optimizer
def test_defaults_and_names_are_torchs(name):
    """But for what says how torch computes, not what: foreach, fused, capturable, differentiable."""
    how = {"foreach", "fused", "capturable", "differentiable"}
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (kb, torch.optim))
    assert {k: p.default for k, p in ours.items()} == {k: p.default for k, p in theirs.items() if k not in how}
    assert inspect.signature(getattr(kt, name)) == inspect.signature(getattr(kb, name))


@pytest.mark.parametrize(
    ("name", "options"), [("SGD", {"momentum": 0.9}), ("RMSprop", {"momentum": 0.9}), ("Adam", {"amsgrad": True})]
)
def test_what_is_remembered_has_torchs_names_and_values(name, options):
    ours = getattr(kb, name)(weights(), 0.02, **options)
    twin = getattr(kt, name)({key: torch.tensor(p) for key, p in weights().items()}, 0.02, **options)
    for t in range(3):
        grads = noisy_slopes(weights(), t)
        ours.step(grads)
        twin.step({key: torch.tensor(g) for key, g in grads.items()})
    for key, remembered in ours.state.items():
        assert set(remembered) == set(twin.state[key]) - {"step"}
        for slot, value in remembered.items():
            np.testing.assert_allclose(value, twin.state[key][slot].numpy(), rtol=1e-13)


# ---- invariants --------------------------------------------------------------------------------------------------
@each_combination
def test_nothing_that_was_handed_in_or_out_changes(name, options):
    given, kept = weights(), weights()
    optimizer = getattr(kb, name)(given, 0.02, **options)
    seen, grads_seen = [], []
    for t in range(3):
        grads = noisy_slopes(kept, t)
        out = optimizer.step(grads)
        seen.append((out, {key: p.copy() for key, p in out.items()}))
        grads_seen.append((grads, {key: g.copy() for key, g in grads.items()}))
    np.testing.assert_equal(given, kept)
    for now, then in seen + grads_seen:
        np.testing.assert_equal(now, then)


def test_the_twin_hands_out_copies_too():
    given = {key: torch.tensor(p) for key, p in weights().items()}
    optimizer = kt.AdamW(given, 0.02)
    grads = {key: torch.ones_like(p) for key, p in given.items()}
    first = optimizer.step(grads)
    then = {key: p.clone() for key, p in first.items()}
    optimizer.step(grads)
    for key, p in weights().items():
        assert torch.equal(first[key], then[key])
        assert torch.equal(given[key], torch.tensor(p))
        assert torch.equal(grads[key], torch.ones_like(given[key]))


def test_a_gradient_that_is_written_over_later_does_not_reach_the_memory():
    optimizer, grad = kb.SGD({"w": np.zeros(2)}, 1.0, momentum=0.5), np.ones(2)
    optimizer.step({"w": grad})
    grad[:] = 7
    np.testing.assert_array_equal(optimizer.step({"w": np.ones(2)})["w"], [-2.5, -2.5])


def test_plain_sgd_is_gradient_descent():
    grads = noisy_slopes(weights(), 0)
    np.testing.assert_equal(kb.SGD(weights(), 0.1).step(grads), step(weights(), grads, 0.1))


def test_the_order_of_the_names_does_not_matter():
    grads = noisy_slopes(weights(), 0)
    other = dict(reversed(grads.items()))
    np.testing.assert_equal(kb.Adam(weights()).step(grads), kb.Adam(weights()).step(other))


@each_optimizer
def test_a_learning_rate_from_numpy_keeps_float32(name):
    optimizer = getattr(kb, name)(weights(np.float32))
    optimizer.lr = np.float64(0.1)
    assert {p.dtype for p in optimizer.step(noisy_slopes(weights(np.float32), 0)).values()} == {np.dtype("float32")}


@pytest.mark.parametrize(("momentum", "dampening"), [(0.9, 0.0), (0.5, 0.0), (0.9, 0.9)])
def test_under_a_constant_gradient_the_velocity_grows_to_a_multiple_of_it(momentum, dampening):
    buffer = np.zeros(3)
    for _ in range(1000):
        buffer = kb.velocity(buffer, np.ones(3), momentum, dampening)
    np.testing.assert_allclose(buffer, (1 - dampening) / (1 - momentum), rtol=1e-12)


def test_adam_walks_alike_whatever_the_scale_of_the_gradient():
    """Two gradients, one a million times the other: the same steps, but for eps."""
    paths = []
    for scale in (1.0, 1e6):
        optimizer = kb.Adam({"w": np.zeros(3)}, 0.1, eps=0)
        paths.append([optimizer.step({"w": scale * np.cos(t + np.arange(3.0))})["w"] for t in range(20)])
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-12)


def test_decoupled_decay_shrinks_all_weights_alike_and_coupled_decay_does_not():
    """Two weights of 1; the gradient of the second is 100 times as large, and alternates, so that it pulls nowhere."""
    left = {}
    for decoupled in (True, False):
        optimizer = kb.Adam({"w": np.ones(2)}, 1e-3, weight_decay=0.1, decoupled_weight_decay=decoupled)
        for t in range(1000):
            weight = optimizer.step({"w": (-1) ** t * np.array([1.0, 100.0])})["w"]
        left[decoupled] = 1 - weight
    assert left[True][0] == pytest.approx(left[True][1], rel=0.01)
    assert left[False][0] > 20 * left[False][1]


@pytest.mark.parametrize("norm_type", [1, 2, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.1, 1e9])
def test_clipping_is_torchs(norm_type, max_norm):
    grads = noisy_slopes(weights(), 0)
    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads.values()]
    for leaf, g in zip(leaves, grads.values(), strict=True):
        leaf.grad = torch.tensor(g)
    expected = torch.nn.utils.clip_grad_norm_(leaves, max_norm, norm_type)
    clipped, total = kb.clip_grad_norm(grads, max_norm, norm_type)
    assert total == pytest.approx(expected.item(), rel=1e-13)
    for leaf, g in zip(leaves, clipped.values(), strict=True):
        np.testing.assert_allclose(g, leaf.grad.numpy(), rtol=1e-13)


def test_clipping_keeps_the_direction_and_leaves_short_gradients_alone():
    grads = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped, total = kb.clip_grad_norm(grads, 1.0)
    assert total == 5
    np.testing.assert_allclose(clipped["a"] / clipped["b"].item(), [0.75, 0], rtol=1e-15)
    np.testing.assert_equal(kb.clip_grad_norm(grads, 6.0)[0], grads)
    np.testing.assert_equal(kb.clip_grad_norm({"a": np.zeros(2)}, 1.0), ({"a": np.zeros(2)}, 0.0))


@pytest.mark.parametrize("warmup_steps", [0, 1, 7])
def test_schedules_are_torchs(warmup_steps):
    leaf = torch.zeros(1, requires_grad=True)
    optimizer, steps = torch.optim.SGD([leaf], lr=0.3), 30
    parts = [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup_steps, eta_min=0.01)]
    if warmup_steps:
        first = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warmup_steps, total_iters=warmup_steps - 1)
        parts = [first, *parts]
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones=[warmup_steps][: len(parts) - 1])
    for t in range(steps + 1):
        assert kb.warmup_cosine(t, steps, warmup_steps, 0.3, 0.01) == pytest.approx(
            schedule.get_last_lr()[0], rel=1e-12
        )
        optimizer.step()
        schedule.step()


def test_schedule_by_hand():
    assert [kb.warmup(t, 4) for t in (0, 1, 3, 4, 99)] == [0.25, 0.5, 1, 1, 1]
    assert [kb.cosine(t, 10, 2.0) for t in (0, 5, 10, 11)] == pytest.approx([2, 1, 0, 0], abs=1e-15)
    assert kb.warmup_cosine(10, 20, 10, 1.0) == 1


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_momentum_by_hand():
    """Gradient 1 each time, momentum 0.5: velocities 1, 1.5, 1.75; Nesterov looks one step ahead: 1.5, 1.75, 1.875."""
    for nesterov, expected in ((False, [-1, -2.5, -4.25]), (True, [-1.5, -3.25, -5.125])):
        optimizer = kb.SGD({"w": np.zeros(1)}, 1.0, momentum=0.5, nesterov=nesterov)
        assert [optimizer.step({"w": np.ones(1)})["w"].item() for _ in range(3)] == expected


def test_adam_by_hand():
    """The first step has the length of the learning rate, whatever the gradient. Then 1 and 3 are averaged."""
    optimizer = kb.Adam({"w": np.zeros(2)}, 0.1, betas=(0.5, 0.5), eps=0)
    np.testing.assert_allclose(optimizer.step({"w": np.array([1.0, -1e-6])})["w"], [-0.1, 0.1], rtol=1e-12)
    second = optimizer.step({"w": np.array([3.0, 0.0])})["w"][0]
    mean, square = (0.5 * 0.5 * 1 + 0.5 * 3) / 0.75, (0.25 * 1 + 0.5 * 9) / 0.75
    assert second == pytest.approx(-0.1 - 0.1 * mean / math.sqrt(square), rel=1e-12)


def test_rmsprop_by_hand():
    optimizer = kb.RMSprop({"w": np.zeros(1)}, 0.1, alpha=0.75, eps=0)
    assert optimizer.step({"w": np.array([4.0])})["w"].item() == pytest.approx(-0.2, rel=1e-12)  # 4 / sqrt(16 / 4)


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_without_the_bias_correction_the_first_step_is_three_times_too_long():
    """(1 - 0.9) / sqrt(1 - 0.999) is 3.16."""
    grad = np.array([0.3])
    mean, square = kb.running_mean(0 * grad, grad, 0.9), kb.running_mean(0 * grad, grad * grad, 0.999)
    assert (mean / np.sqrt(square)).item() == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-12)
    assert kb.adam_direction(mean, square, 1, eps=0).item() == pytest.approx(1, rel=1e-12)


# ---- errors ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", [kb, kt])
@each_optimizer
def test_gradients_must_fit(module, name):
    make = (lambda a: a) if module is kb else torch.tensor
    optimizer = getattr(module, name)({"w": make(np.ones((3, 2))), "b": make(np.ones(3))})
    with pytest.raises(
        ValueError, match=rf"{name}: grads has the names \['w'\], expected those of params \['w', 'b'\]"
    ):
        optimizer.step({"w": make(np.ones((3, 2)))})
    with pytest.raises(ValueError, match=rf"{name}: grads\['w'\] has shape \(2,\).*expected \(3, 2\)"):
        optimizer.step({"w": make(np.ones(2)), "b": make(np.ones(3))})
    with pytest.raises(ValueError, match=rf"{name}: grads\['b'\] .*holds .*float32, expected .*float64"):
        optimizer.step({"w": make(np.ones((3, 2))), "b": make(np.ones(3, np.float32))})
    assert optimizer.t == 0


@pytest.mark.parametrize("module", [kb, kt, torch.optim])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {"lr": -0.1}) for name in CHOICES),
        *((name, {"weight_decay": -0.1}) for name in CHOICES),
        ("SGD", {"momentum": -0.1}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("RMSprop", {"alpha": -0.1}),
        ("RMSprop", {"momentum": -0.1}),
        ("RMSprop", {"eps": -0.1}),
        *((name, {"eps": -0.1}) for name in ("Adam", "AdamW")),
        *((name, {"betas": betas}) for name in ("Adam", "AdamW") for betas in ((-0.1, 0.9), (1.0, 0.9), (0.9, 1.0))),
    ],
)
def test_what_torch_refuses_is_refused(module, name, options):
    params = {"w": np.ones(3)} if module is kb else {"w": torch.ones(3)}
    with pytest.raises(ValueError, match=r"\w"):
        getattr(module, name)(params.values() if module is torch.optim else params, **options)


def test_errors_name_the_argument():
    with pytest.raises(
        ValueError, match=r"AdamW: betas is \(0.9, 1.0\), expected two numbers from 0 up to, but not, 1"
    ):
        kb.AdamW({}, betas=(0.9, 1.0))
    with pytest.raises(ValueError, match=r"SGD: momentum is -1, expected at least 0"):
        kb.SGD({}, momentum=-1)
    with pytest.raises(ValueError, match=r"SGD: lr is nan"):
        kb.SGD({}, lr=math.nan)
    with pytest.raises(ValueError, match=r"norm_type is 0, expected a number above 0, or inf"):
        kb.clip_grad_norm({"w": np.ones(3)}, 1.0, 0)
    with pytest.raises(ValueError, match=r"warmup_steps is 5, expected 0 up to, but not, steps = 5"):
        kb.warmup_cosine(0, 5, 5, 0.1)

"""The recurrent network: what proves kb.structure.recurrent_network."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.structure.recurrent_network as kb
import kb.torch.structure.recurrent_network as kt
from figures import memory_through_time as measured
from kb.autograd.tensor import grad, value_and_grad, vjp
from tests.contract import Case, contract, gpu_contract, to_torch

pytestmark = pytest.mark.filterwarnings("ignore:RNN module weights are not part:UserWarning")  # cuDNN copies them


def weights(gates, d=3, n=4, bias=True):
    shapes = {"weight_ih": (gates * n, d), "weight_hh": (gates * n, n)}
    return shapes | ({"bias_ih": (gates * n,), "bias_hh": (gates * n,)} if bias else {})


def network(kind, layers=1, d=3, n=4, bias=True):
    params = kb.init_recurrent(kind, d, n, np.random.default_rng(1), layers, "float64")
    return {name: value for name, value in params.items() if bias or name.startswith("weight")}


BITS = np.random.default_rng(0).integers(0, 2, (2, 9, 1)).astype(float)
CASES = [
    Case(kb.rnn_cell, x=(2, 3), h=(2, 4), **weights(1)),
    Case(kb.rnn_cell, x=(3,), h=(4,), **weights(1, bias=False), nonlinearity="relu"),
    Case(kb.rnn_cell, x=(2, 1, 3), h=(5, 4), **weights(1)),
    Case(kb.lstm_cell, x=(2, 3), h=(2, 4), c=(2, 4), **weights(4)),
    Case(kb.lstm_cell, x=(3,), h=(4,), c=(4,), **weights(4, bias=False)),
    Case(kb.gru_cell, x=(2, 3), h=(2, 4), **weights(3)),
    Case(kb.gru_cell, x=(3,), h=(4,), **weights(3, bias=False)),
    Case(kb.rnn, params=network("rnn"), x=(2, 6, 3)),
    Case(kb.rnn, params=network("rnn", layers=3), x=(2, 6, 3), h0=(3, 2, 4), nonlinearity="relu"),
    Case(kb.rnn, params=network("rnn", layers=2, bias=False), x=(6, 3), h0=(2, 4)),
    Case(kb.lstm, params=network("lstm"), x=(2, 6, 3)),
    Case(kb.lstm, params=network("lstm", layers=2), x=(2, 6, 3), h0=(2, 2, 4), c0=(2, 2, 4)),
    Case(kb.lstm, params=network("lstm", bias=False), x=(2, 2, 1, 3), c0=(1, 2, 2, 4)),
    Case(kb.gru, params=network("gru"), x=(2, 6, 3)),
    Case(kb.gru, params=network("gru", layers=2), x=(2, 6, 3), h0=(2, 2, 4)),
    Case(kb.gru, params=network("gru", layers=2, bias=False), x=(6, 3)),
    Case(kb.parity, x=BITS),
    Case(kb.parity, differentiable=False, x=BITS[0]),
    Case(kb.backward_through_time, grad=(2, 4), weight_hh=(4, 4), states=(2, 6, 4)),
    Case(kb.backward_through_time, grad=(4,), weight_hh=(4, 4), states=(1, 4)),
    Case(kb.spectral_radius, differentiable=False, weight=(5, 5)),
    Case(kb.with_spectral_radius, differentiable=False, weight=(5, 5), radius=0.7),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)
TORCH = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
each_kind = pytest.mark.parametrize("kind", TORCH)


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """cuDNN would round the factors of a float32 product to 10 bits (TF32)."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def by_a_plain_loop(kind, params, x):
    """The equations, one neuron at a time; one layer, one sequence (t, d). The states (t, n)."""
    w, u, b, e = (params[name] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"))
    n = u.shape[1]
    h, c, states = [0.0] * n, [0.0] * n, []
    for x_t in x:
        seen = [sum(w[k] * x_t) + b[k] for k in range(len(w))]
        kept = [sum(u[k] * h) + e[k] for k in range(len(w))]
        both = [p + q for p, q in zip(seen, kept, strict=True)]
        if kind == "rnn":
            h = [math.tanh(z) for z in both]
        if kind == "lstm":
            c = [logistic(both[n + k]) * c[k] + logistic(both[k]) * math.tanh(both[2 * n + k]) for k in range(n)]
            h = [logistic(both[3 * n + k]) * math.tanh(c[k]) for k in range(n)]
        if kind == "gru":
            new = [math.tanh(seen[2 * n + k] + logistic(both[k]) * kept[2 * n + k]) for k in range(n)]
            h = [(1 - logistic(both[n + k])) * new[k] + logistic(both[n + k]) * h[k] for k in range(n)]
        states.append(h)
    return np.array(states)


def logistic(z):
    return 1 / (1 + math.exp(-z))


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=30)
@given(st.sampled_from(sorted(TORCH)), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.integers(0, 999))
def test_a_layer_is_the_plain_loop(kind, t, d, n, seed):
    rng = np.random.default_rng(seed)
    params, x = kb.init_recurrent(kind, d, n, rng, dtype="float64"), rng.standard_normal((t, d))
    np.testing.assert_allclose(getattr(kb, kind)(params, x)[0], by_a_plain_loop(kind, params, x), atol=1e-13)


@settings(max_examples=30)
@given(st.sampled_from(sorted(TORCH)), st.integers(1, 3), st.integers(1, 5), st.booleans(), st.integers(0, 999))
def test_torchs_module_takes_the_weights_and_gives_outputs_and_gradients(kind, layers, t, bias, seed):
    """The other oracle: torch.nn's own module with load_state_dict, not the functions that the twin calls."""
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(value.shape) for name, value in network(kind, layers, bias=bias).items()}
    x = rng.standard_normal((2, t, 3))
    module = TORCH[kind](3, 4, layers, bias=bias, batch_first=True, dtype=torch.float64)
    module.load_state_dict({name: torch.from_numpy(value) for name, value in params.items()}, strict=True)
    theirs = torch.tensor(x, requires_grad=True)
    out, end = module(theirs)
    ours = getattr(kb, kind)(params, x)
    for a, b in zip(ours, (out, *(end if kind == "lstm" else (end,))), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-12, atol=1e-12)
    seed_array = rng.standard_normal(out.shape)
    out.backward(torch.from_numpy(seed_array))
    found = vjp(lambda p: getattr(kb, kind)(p, x)[0], params)[1](seed_array)
    for name, p in module.named_parameters():
        np.testing.assert_allclose(found[name], p.grad.numpy(), rtol=1e-10, atol=1e-10)
    found = vjp(lambda x: getattr(kb, kind)(params, x)[0], x)[1](seed_array)
    np.testing.assert_allclose(found, theirs.grad.numpy(), rtol=1e-10, atol=1e-10)


@each_kind
def test_reading_in_two_parts_is_reading_at_once(kind):
    """The state is all that the past leaves behind."""
    params, x = network(kind, layers=2), np.random.default_rng(0).standard_normal((2, 9, 3))
    fn = getattr(kb, kind)
    whole, *ends = fn(params, x)
    first, *middle = fn(params, x[:, :4])
    second, *last = fn(params, x[:, 4:], *middle)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-14)
    np.testing.assert_allclose(np.array(last), np.array(ends), atol=1e-14)


@each_kind
def test_a_state_does_not_depend_on_what_comes_later(kind):
    params, x = network(kind), np.random.default_rng(0).standard_normal((9, 3))
    changed = np.concatenate([x[:5], x[5:] + 1])
    one, other = getattr(kb, kind)(params, x)[0], getattr(kb, kind)(params, changed)[0]
    np.testing.assert_array_equal(one[:5], other[:5])
    assert np.all(np.abs(one[5] - other[5]) > 1e-6)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=300))
def test_two_neurons_know_the_parity_of_any_number_of_bits(bits):
    x = np.array(bits, float)[:, None]
    assert kb.parity(x).tolist() == (np.cumsum(bits) % 2).tolist()


def test_backward_through_time_is_the_gradient_at_every_state():
    """Each state is made a starting point in turn; kb's computation graph differentiates the rest of the way."""
    rng = np.random.default_rng(0)
    params, x, blame = network("rnn"), rng.standard_normal((7, 3)), rng.standard_normal(4)
    states = kb.rnn(params, x)[0]
    ours = kb.backward_through_time(blame, params["weight_hh_l0"], states)
    for t in range(6):

        def cost(h, t=t):
            return np.sum(blame * kb.rnn(params, x[t + 1 :], h[None])[0][-1])

        np.testing.assert_allclose(ours[t], grad(cost)(states[t]), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(ours[-1], blame)


def test_spectral_radius_is_the_growth_per_step_in_the_long_run():
    weight = np.random.default_rng(0).standard_normal((6, 6))
    growth = np.linalg.norm(np.linalg.matrix_power(weight / kb.spectral_radius(weight), 2000)) ** (1 / 2000)
    assert abs(growth - 1) < 0.01
    assert kb.spectral_radius(np.array([[0.0, -3.0], [3.0, 0.0]])) == pytest.approx(
        3
    )  # a rotation: complex eigenvalues
    assert kb.spectral_radius(kb.with_spectral_radius(weight, 0.9)) == pytest.approx(0.9, rel=1e-12)


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.5])
def test_at_rest_the_gradient_shrinks_or_grows_exactly_by_the_spectral_radius(radius):
    """An orthogonal matrix times the radius and the state 0, where tanh has the slope 1."""
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))
    blame = kb.backward_through_time(np.ones(8), radius * q, np.zeros((51, 8)))
    norms = np.linalg.norm(blame, axis=-1)
    np.testing.assert_allclose(norms / norms[-1], radius ** np.arange(50.0, -1, -1), rtol=1e-12)


@pytest.mark.parametrize("forget_bias", [None, 1.0])
def test_what_the_page_measures_on_the_lstm_is_what_torch_measures(forget_bias):
    params = kb.init_recurrent("lstm", measured.INPUTS, measured.STATE, np.random.default_rng(1), dtype="float64")
    model = torch.nn.LSTM(measured.INPUTS, measured.STATE, batch_first=True, dtype=torch.float64)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in params.items()})
    if forget_bias is not None:
        model.bias_ih_l0.data[measured.STATE : 2 * measured.STATE] = forget_bias
    x = torch.tensor(measured.random_sequence(), requires_grad=True)
    model(x)[0][-1].sum().backward()
    lengths = x.grad.norm(dim=-1).numpy()
    np.testing.assert_allclose(measured.blame_by_cell("lstm", forget_bias), lengths / lengths[-1], rtol=1e-7)


def test_initial_weights_are_uniform_as_torchs_are():
    for kind, module in TORCH.items():
        params = kb.init_recurrent(kind, 5, 100, np.random.default_rng(0), layers=2)
        theirs = module(5, 100, 2)
        assert {k: v.shape for k, v in params.items()} == {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
        assert list(params) == list(theirs.state_dict())
        for value in params.values():
            assert value.dtype == np.float32
            assert np.abs(value).max() <= 0.1
            assert value.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.2)
        count = sum(p.numel() for p in theirs.parameters())
        assert kb.count_recurrent_parameters(kind, 5, 100, 2) == count


# ---- hand-computed examples --------------------------------------------------------------------------------------
def test_one_step_of_each_cell_by_hand():
    one, zero = np.ones(1), np.zeros(1)
    h = kb.rnn_cell(one, one, np.array([[2.0]]), np.array([[-1.0]]), np.array([0.5]), zero)
    assert h[0] == pytest.approx(math.tanh(2 - 1 + 0.5))
    gates = np.array([[0.0], [math.log(3)], [1.0], [math.log(9)]])  # i = 1/2, f = 3/4, g = tanh 1, o = 9/10
    h, c = kb.lstm_cell(one, zero, 2 * one, gates, np.zeros((4, 1)))
    assert c[0] == pytest.approx(0.75 * 2 + 0.5 * math.tanh(1))
    assert h[0] == pytest.approx(0.9 * math.tanh(c[0]))
    seen, kept = np.array([[0.0], [math.log(3)], [1.0]]), np.array([[0.0], [0.0], [4.0]])  # r = 1/2, z = 3/4
    h = kb.gru_cell(one, one, seen, kept)
    assert h[0] == pytest.approx(0.25 * math.tanh(1 + 0.5 * 4) + 0.75 * 1)


def test_parity_is_the_xor_network_with_its_own_answer_fed_back():
    states = kb.rnn(kb.PARITY, np.array([[1.0], [1.0], [0.0], [1.0]]), nonlinearity="relu")[0]
    assert states.tolist() == [[1, 0], [2, 1], [0, 0], [1, 0]]
    assert kb.spectral_radius(kb.PARITY["weight_hh_l0"]) == 1


# ---- error messages ----------------------------------------------------------------------------------------------
def test_refusals():
    x = np.ones((2, 5, 3))
    with pytest.raises(ValueError, match=r"x has shape \(2, 0, 3\): a sequence has at least one element"):
        kb.rnn(network("rnn"), x[:, :0])
    with pytest.raises(ValueError, match=r"missing \['weight_hh_l0'\], unknown \[\]"):
        kb.gru({"weight_ih_l0": np.ones((12, 3))}, x)
    with pytest.raises(ValueError, match=r"missing \['weight_ih_l0'\]"):
        kb.gru({}, x)
    with pytest.raises(ValueError, match=r"unknown \['weight_ih_l0_reverse'\]"):
        kb.rnn(network("rnn") | {"weight_ih_l0_reverse": np.ones((4, 3))}, x)
    with pytest.raises(ValueError, match="nonlinearity is 'sigmoid', expected one of tanh, relu"):
        kb.rnn(network("rnn"), x, nonlinearity="sigmoid")
    with pytest.raises(ValueError, match=r"gru_cell: weight_ih has shape \(16, 3\), expected \(3n, d\)"):
        kb.gru(network("lstm"), x)


# ---- gradient ----------------------------------------------------------------------------------------------------
@each_kind
def test_the_gradient_of_a_long_sequence_is_torchs(kind):
    """A hundred steps: the depth at which a recursive engine would run out of stack is six times that."""
    params, x = network(kind), np.random.default_rng(0).standard_normal((2, 100, 3))
    _, ours = value_and_grad(lambda p: np.sum(getattr(kb, kind)(p, x)[0][:, -1]))(params)
    theirs = to_torch(params, grad=True)
    getattr(kt, kind)(theirs, torch.tensor(x))[0][:, -1].sum().backward()
    for name in params:
        np.testing.assert_allclose(ours[name], theirs[name].grad.numpy(), rtol=1e-10, atol=1e-10)


# ---- mutation: without the part that matters it breaks -----------------------------------------------------------
def test_parity_without_the_bend_or_without_the_loop_fails():
    x = np.array([[1.0], [1.0], [0.0], [1.0]])
    wanted = [1, 0, 0, 1]
    assert kb.parity(x).tolist() == wanted
    loose = kb.PARITY | {"weight_hh_l0": np.zeros((2, 2))}
    states = kb.rnn(loose, x, nonlinearity="relu")[0]
    assert (states[:, 0] - 2 * states[:, 1]).tolist() != wanted
    bent_away = kb.rnn(kb.PARITY, x)[0]  # tanh in the place of relu
    assert np.abs(bent_away[:, 0] - 2 * bent_away[:, 1] - wanted).max() > 0.2


def test_other_gate_orders_are_not_torchs():
    params, x = network("lstm"), np.random.default_rng(0).standard_normal((2, 6, 3))
    right = kb.lstm(params, x)[0]
    swapped = {name: np.concatenate([v[4:8], v[:4], v[8:]]) for name, v in params.items()}  # f, i, g, o
    assert np.abs(kb.lstm(swapped, x)[0] - right).max() > 0.01


def test_the_published_gru_is_not_torchs():
    """The reset gate before the matrix instead of behind it."""
    rng = np.random.default_rng(0)
    x, h, w, u = (rng.standard_normal(shape) for shape in ((3,), (4,), (12, 3), (12, 4)))
    r, z = (1 / (1 + np.exp(-(w[k] @ x + u[k] @ h))) for k in (slice(0, 4), slice(4, 8)))
    published = (1 - z) * np.tanh(w[8:] @ x + u[8:] @ (r * h)) + z * h
    torchs = (1 - z) * np.tanh(w[8:] @ x + r * (u[8:] @ h)) + z * h
    np.testing.assert_allclose(kb.gru_cell(x, h, w, u), torchs, rtol=1e-12)
    assert np.abs(published - torchs).max() > 0.01

"""Sampling: what proves kb.architecture.sampling. The oracle of the warpers is Hugging Face's own code."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kb.architecture.sampling as kb
import kb.torch.architecture.sampling as kt
from figures import small_bigram as sb
from kb.foundations.softmax import log_softmax, softmax
from tests.contract import Case, contract, gpu_contract

TABLE = np.random.default_rng(3).standard_normal((7, 7, 7)) * 2  # the logits after each two tokens
PROMPT = np.array([2, 5])


def after(ids):
    """A model that looks at the last two tokens, for NumPy and torch."""
    if isinstance(ids, np.ndarray):
        return TABLE[ids[..., -2], ids[..., -1]]
    import torch

    return torch.tensor(TABLE, device=ids.device)[ids[..., -2], ids[..., -1]]


def first_after_ties(logits):
    return logits.argmax(-1)


GAPS = np.array([[1.0, -np.inf, 2.0, 0.5], [-np.inf, -np.inf, 0.5, 0.25]])  # some tokens are gone already
CASES = [
    Case(kb.temperature, logits=(2, 5), t=0.7),
    Case(kb.top_k, logits=(6,), k=2),
    Case(kb.top_k, logits=(2, 3, 6), k=3),
    Case(kb.top_k, logits=(2, 6), k=9),
    Case(kb.top_k, logits=GAPS, k=3),
    Case(kb.top_p, logits=(6,), p=0.8),
    Case(kb.top_p, logits=(2, 3, 6), p=0.5),
    Case(kb.top_p, logits=GAPS, p=0.9),
    Case(kb.top_p, logits=(2, 6), p=0.0),
    Case(kb.top_p, logits=(2, 6), p=1.0),
    Case(kb.min_p, logits=(6,), p=0.3),
    Case(kb.min_p, logits=(2, 3, 6), p=0.1),
    Case(kb.min_p, logits=GAPS, p=0.7),
    Case(kb.entropy, logits=(5,)),
    Case(kb.entropy, logits=(2, 3, 5)),
    Case(kb.entropy, logits=GAPS),
    Case(kb.greedy, logits=(2, 3, 5), differentiable=False),
    Case(kb.sample, logits=(5,), rng=np.random.default_rng(0), differentiable=False),
    Case(kb.sample, logits=(40, 5), rng=np.random.default_rng(0), differentiable=False),
    Case(
        kb.sample,
        differentiable=False,
        logits=(4, 9, 20),
        rng=np.random.default_rng(0),
        temperature=1.5,
        top_k=9,
        top_p=0.9,
        min_p=0.05,
    ),
    Case(kb.extend, next_logits=after, ids=PROMPT, max_new_tokens=6, choose=first_after_ties),
    Case(kb.extend, next_logits=after, ids=np.array([[0, 1], [6, 2]]), max_new_tokens=3, choose=first_after_ties),
    Case(kb.extend, next_logits=after, ids=PROMPT, max_new_tokens=0, choose=first_after_ties),
    Case(kb.beam_search, next_logits=after, ids=PROMPT, width=3, max_new_tokens=4),
    Case(kb.beam_search, next_logits=after, ids=PROMPT, width=20, max_new_tokens=3, end=6),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

SCORES = np.array([2.0, 1.0, 0.1])


def rows(limit=20.0):
    """Rows of 1 to 8 scores, many of them tied."""
    few = st.sampled_from([-1.0, 0.0, 0.5, 2.0, 2.25])
    return hnp.arrays(
        np.float64, st.tuples(st.integers(1, 3), st.integers(1, 8)), elements=few | st.floats(-limit, limit)
    )


def kept(logits):
    return np.isfinite(logits)


# ---- invariants --------------------------------------------------------------------------------------------------
@settings(max_examples=100)
@given(rows(), st.integers(1, 9), st.floats(0, 1))
def test_what_stays_is_unchanged_and_the_largest_always_stays(x, k, p):
    for out in (kb.top_k(x, k), kb.top_p(x, p), kb.min_p(x, p)):
        np.testing.assert_array_equal(out[kept(out)], x[kept(out)])
        assert np.all(kept(out)[np.arange(len(x)), [max(np.flatnonzero(r == r.max())) for r in x]])
        lowest_kept = np.where(kept(out), out, np.inf).min(-1, keepdims=True)
        assert np.all(kept(out) | (x <= lowest_kept)), "nothing larger than a kept score is dropped"


@settings(max_examples=100)
@given(rows(), st.floats(0.01, 0.99))
def test_top_p_keeps_the_fewest_that_reach_p(x, p):
    """What is kept holds at least p, and without its least likely member less than p (up to rounding)."""
    shares, stays = softmax(x), kept(kb.top_p(x, p))
    for share, stay in zip(shares, stays, strict=True):
        assert share[stay].sum() >= p - 1e-12
        assert stay.sum() == 1 or np.sort(share[stay])[1:].sum() < p + 1e-12


@settings(max_examples=50)
@given(rows(), st.integers(1, 9))
def test_top_k_keeps_at_least_k_and_more_only_by_ties(x, k):
    k = min(k, x.shape[-1])
    for row, stay in zip(x, kept(kb.top_k(x, k)), strict=True):
        assert stay.tolist() == [sum(other > z for other in row) < k for z in row]


@settings(max_examples=50)
@given(rows(), st.floats(0.001, 1))
def test_min_p_compares_with_the_likeliest(x, p):
    shares = softmax(x)
    ratio = shares / shares.max(-1, keepdims=True)
    clear = np.abs(ratio - p) > 1e-12  # where rounding does not decide
    np.testing.assert_array_equal(kept(kb.min_p(x, p))[clear], (ratio > p)[clear])


@settings(max_examples=50)
@given(rows())
def test_entropy_as_in_scipy(x):
    np.testing.assert_allclose(kb.entropy(x), scipy.stats.entropy(softmax(x), axis=-1), rtol=1e-12, atol=1e-13)


def test_entropy_rises_with_temperature_from_nothing_to_log_n():
    t = [0.01, 0.2, 0.5, 1, 2, 5, 100, 1e9]
    values = [kb.entropy(kb.temperature(SCORES, each)) for each in t]
    assert values == sorted(values)
    assert values[0] < 1e-40
    assert values[-1] == pytest.approx(math.log(3), rel=1e-15)


def test_the_limit_of_small_temperatures_is_greedy():
    x = np.random.default_rng(1).standard_normal((100, 50))
    drawn = kb.sample(x, np.random.default_rng(0), temperature=1e-6)
    np.testing.assert_array_equal(drawn, kb.greedy(x))


# ---- Hugging Face's warpers, ties included -----------------------------------------------------------------------
def tables():
    """Logits of a real vocabulary's size, small ones full of ties, and rows with tokens that are gone already."""
    rng = np.random.default_rng(0)
    tied = rng.integers(-2, 3, (200, 12)).astype(np.float32)
    gone = np.where(rng.random((50, 12)) < 0.3, -np.inf, rng.standard_normal((50, 12))).astype(np.float32)
    return [4 * rng.standard_normal((3, 50_257)).astype(np.float32), tied, gone, np.zeros((2, 9), np.float32)]


@pytest.mark.slow
def test_the_filters_are_those_of_hugging_face():
    import torch
    from transformers.generation import logits_process as hf

    for x in tables():
        theirs = torch.tensor(x)
        pairs = [(kb.temperature(x, t), hf.TemperatureLogitsWarper(t)) for t in (0.3, 1.7)]
        pairs += [(kb.top_k(x, k), hf.TopKLogitsWarper(k)) for k in (1, 2, 5, 40, 10**6)]
        pairs += [(kb.top_p(x, p), hf.TopPLogitsWarper(p)) for p in (0.0, 0.123, 0.5, 0.77, 0.9, 0.95, 1.0)]
        pairs += [(kb.min_p(x, p), hf.MinPLogitsWarper(p)) for p in (0.0, 0.04, 0.3, 1.0)]
        for ours, warper in pairs:
            np.testing.assert_array_equal(
                ours, warper(None, theirs).numpy(), err_msg=f"{type(warper).__name__} {x.shape}"
            )


@pytest.mark.slow
def test_the_order_is_that_of_hugging_face():
    import torch
    from transformers.generation import logits_process as hf

    x = tables()[0]
    chain = [
        hf.TemperatureLogitsWarper(0.8),
        hf.TopKLogitsWarper(50),
        hf.TopPLogitsWarper(0.9),
        hf.MinPLogitsWarper(0.1),
    ]
    expected = torch.tensor(x)
    for warper in chain:
        expected = warper(None, expected)
    np.testing.assert_array_equal(kb._narrowed(x, 0.8, 50, 0.9, 0.1), expected.numpy())


# ---- hand-computed -----------------------------------------------------------------------------------------------
def test_shares_of_a_half_a_quarter_and_two_eighths():
    x = np.log([0.25, 0.5, 0.125, 0.125])
    assert kept(kb.top_k(x, 1)).tolist() == [False, True, False, False]
    assert kept(kb.top_k(x, 3)).tolist() == [True, True, True, True], "the third largest ties with the fourth"
    assert kept(kb.top_p(x, 0.6)).tolist() == [True, True, False, False]
    assert kept(kb.top_p(x, 0.8)).tolist() == [True, True, False, True], "of two equal scores the earlier goes first"
    assert kept(kb.min_p(x, 0.4)).tolist() == [True, True, False, False]
    assert kb.entropy(x) == pytest.approx(1.75 * math.log(2), rel=1e-15)
    assert kb.greedy(np.array([1.0, 3.0, 3.0])) == 1


class Fixed:
    """A generator that gives the numbers it was made of."""

    def __init__(self, *numbers):
        self.numbers = np.array(numbers)

    def random(self, shape):
        return self.numbers.reshape(shape)


def test_the_inverse_of_the_running_sum_by_hand():
    """Shares 0, 1/4, 1/2, 0, 1/4: the running sum is 0, 0.25, 0.75, 0.75, 1. Tokens 0 and 3 are never drawn."""
    x = np.log(np.array([1e-300, 0.25, 0.5, 1e-300, 0.25])) + np.array([-np.inf, 0, 0, -np.inf, 0])
    u = [0.0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 2**-53]
    assert kb.sample(np.tile(x, (6, 1)), Fixed(*u)).tolist() == [1, 1, 2, 2, 4, 4]


def test_a_number_close_to_one_does_not_fall_off_the_end():
    """The mutation: these 50,257 rounded shares sum to a little less than 1. Without the division by their sum u
    lands beyond the vocabulary; with it, on the last token that has a share."""
    x = np.random.default_rng(4).standard_normal((1, 50_257)).astype(np.float32)
    x[0, -3:] = -np.inf
    u, heights = 1 - 2**-53, np.cumsum(softmax(x), axis=-1, dtype=np.float64)
    assert kb.sample(x, Fixed(u)) == 50_253
    assert np.sum(heights <= u) == 50_257


# ---- drawing -----------------------------------------------------------------------------------------------------
def test_the_frequencies_are_the_probabilities():
    """Hoeffding: each of 6 frequencies of n draws errs by more than c with probability at most 2 exp(-2 n c^2); for
    c = sqrt(log(2 * 6 / 1e-9) / (2 n)) that is 1e-9 for all together."""
    x, n = np.array([1.0, -np.inf, 0.3, 2.0, -1.0, 0.3]), 200_000
    drawn = kb.sample(np.broadcast_to(x, (n, 6)), np.random.default_rng(0))
    frequencies = np.bincount(drawn, minlength=6) / n
    bound = math.sqrt(math.log(2 * 6 / 1e-9) / (2 * n))
    assert np.abs(frequencies - softmax(x)).max() < bound < 0.01
    assert frequencies[1] == 0
    assert np.abs(frequencies - softmax(x / 2)).max() > 3 * bound, "the test can tell another temperature"


def test_the_same_seed_gives_the_same_tokens_and_another_seed_others():
    x = np.random.default_rng(0).standard_normal((50, 20))
    first, again, other = (kb.sample(x, np.random.default_rng(seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_what_was_narrowed_away_is_never_drawn():
    x = np.random.default_rng(0).standard_normal((1, 30)).repeat(2000, 0)
    for narrow, filtered in (
        ({"top_k": 4}, kb.top_k(x, 4)),
        ({"top_p": 0.6}, kb.top_p(x, 0.6)),
        ({"min_p": 0.3}, kb.min_p(x, 0.3)),
    ):
        drawn = kb.sample(x, np.random.default_rng(0), **narrow)
        assert set(drawn) == set(np.flatnonzero(kept(filtered[0])))


def test_torch_draws_from_its_own_generator_too():
    import torch

    x, n = torch.tensor(SCORES), 100_000
    drawn = kt.sample(x.expand(n, 3), torch.Generator().manual_seed(0))
    bound = math.sqrt(math.log(2 * 3 / 1e-9) / (2 * n))  # as above
    assert np.abs(np.bincount(drawn) / n - softmax(SCORES)).max() < bound


# ---- the loop, and beams -----------------------------------------------------------------------------------------
def test_sample_append_repeat_by_a_plain_loop():
    rng, ids = np.random.default_rng(5), PROMPT.tolist()
    for _ in range(8):
        u, running = rng.random(), 0.0
        shares = enumerate(softmax(TABLE[ids[-2], ids[-1]]))
        while running <= u:
            token, share = next(shares)
            running += share
        ids.append(token)
    again = np.random.default_rng(5)
    assert kb.extend(after, PROMPT, 8, lambda logits: kb.sample(logits, again)).tolist() == ids


def every_text(steps, end=None):
    """All continuations of PROMPT with their log-probabilities, the likeliest first, by brute force."""
    found = []
    for tail in itertools.product(range(7), repeat=steps):
        ids, total = PROMPT.tolist(), 0.0
        for token in tail:
            if end in ids[len(PROMPT) :]:
                total += 0.0 if token == end else -math.inf
            else:
                total += scipy.special.log_softmax(TABLE[ids[-2], ids[-1]])[token]
            ids.append(token)
        if total > -math.inf:
            found.append((total, ids))
    return sorted(found, key=lambda pair: -pair[0])


@pytest.mark.parametrize("end", [None, 6])
def test_a_wide_beam_is_brute_force(end):
    """Width v^(n - 1) keeps every beginning: the best texts of all, in order, with their log-probabilities."""
    truth = every_text(3, end)
    texts, scores = kb.beam_search(after, PROMPT, 49, 3, end)
    np.testing.assert_array_equal(texts, [ids for _, ids in truth[:49]])
    np.testing.assert_allclose(scores, [total for total, _ in truth[:49]], rtol=1e-12)
    assert len(kb.beam_search(after, PROMPT, 10**6, 3, end)[0]) == len(truth)


def trap(ids):
    """Token 0 is a little likelier than token 1, but what follows 1 is certain and what follows 0 is not."""
    first = np.log(np.array([0.55, 0.45, 1e-9]))
    later = np.log(np.array([[0.4, 0.3, 0.3], [1e-9, 1e-9, 1.0], [0.4, 0.3, 0.3]]))
    return np.stack([first if len(row) == 1 else later[row[-1]] for row in ids])


def test_a_beam_of_one_is_greedy_and_two_escape_the_trap():
    start = np.array([2])
    narrow, wide = (kb.beam_search(trap, start, width, 2) for width in (1, 2))
    np.testing.assert_array_equal(narrow[0][0], kb.extend(lambda ids: trap(ids[None])[0], start, 2, kb.greedy))
    assert narrow[0].tolist() == [[2, 0, 0]]
    assert wide[0][0].tolist() == [2, 1, 2]
    np.testing.assert_allclose(np.exp([narrow[1][0], wide[1][0]]), [0.55 * 0.4, 0.45], rtol=1e-7)


def test_the_scores_of_a_beam_are_those_of_its_texts():
    texts, scores = kb.beam_search(after, PROMPT, 4, 5)
    for ids, score in zip(texts, scores, strict=True):
        steps = [log_softmax(TABLE[a, b])[c] for a, b, c in zip(ids, ids[1:], ids[2:], strict=False)]
        assert score == pytest.approx(math.fsum(steps), rel=1e-13)


@pytest.mark.slow
def test_beams_are_those_of_hugging_face():
    """A GPT-2 with random weights, no end token, so that all texts have the same length."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=11, n_positions=16, n_embd=8, n_layer=1, n_head=2, bos_token_id=None, eos_token_id=None
    )
    model = GPT2LMHeadModel(config).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.7)
        prompt = torch.tensor([[3, 1, 4]])
        theirs = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), num_beams=4, num_return_sequences=4, max_new_tokens=6,
            do_sample=False, pad_token_id=0, length_penalty=0.0, output_scores=True, return_dict_in_generate=True,
        )  # fmt: skip
        ours = kb.beam_search(lambda ids: model(torch.tensor(ids)).logits[:, -1].numpy(), prompt[0].numpy(), 4, 6)
    np.testing.assert_array_equal(ours[0], theirs.sequences.numpy())
    np.testing.assert_allclose(ours[1], theirs.sequences_scores.numpy(), rtol=1e-6)


# ---- the model of the page: counted ------------------------------------------------------------------------------
def test_the_small_model_counts():
    words = sb.TEXT.split()
    pairs = Counter(itertools.pairwise(words))
    assert sb.SEEN.sum() == len(words) - 1
    assert all(sb.SEEN[sb.WORDS.index(a), sb.WORDS.index(b)] == n for (a, b), n in pairs.items())
    assert [pairs["the", word] for word in ("cat", "dog", "mat", "bird", "log")] == [7, 5, 3, 1, 1]
    assert words.count(".") == 9
    np.testing.assert_allclose(softmax(sb.after("on")), (sb.SEEN[sb.WORDS.index("on")] + 0.02) / (4 + 1 + 12 * 0.02))


def test_the_fork_of_the_page():
    start = np.array([0])
    greedy = kb.extend(sb.fork_logits, start, 2, kb.greedy)
    beam = kb.beam_search(sb.fork_logits, start, 2, 2)
    assert [sb.FORK_WORDS[i] for i in greedy] == ["saw", "a", "bird"]
    assert [sb.FORK_WORDS[i] for i in beam[0][0]] == ["saw", "an", "owl"]
    np.testing.assert_allclose(np.exp(beam[1][0]), 0.45 * 0.96, rtol=1e-6)


# ---- float32 -----------------------------------------------------------------------------------------------------
def test_numpy_settings_do_not_make_float64():
    x = SCORES.astype(np.float32)
    for out in (kb.temperature(x, np.float64(0.5)), kb.top_p(x, np.float64(0.5)), kb.min_p(x, np.float64(0.5))):
        assert out.dtype == np.float32


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", [kb, kt])
def test_settings_out_of_range_are_refused(module):
    import torch

    x = SCORES if module is kb else torch.tensor(SCORES)
    for t in (0, 0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="temperature: t must be a finite number above 0"):
            module.temperature(x, t)
    for k in (0, -1, 1.5):
        with pytest.raises(ValueError, match="top_k: k must be an integer of at least 1"):
            module.top_k(x, k)
    for name in ("top_p", "min_p"):
        for p in (-0.1, 1.1, math.nan):
            with pytest.raises(ValueError, match=rf"{name}: p must lie in 0\.\.1, not "):
                getattr(module, name)(x, p)
    ids = PROMPT if module is kb else torch.tensor(PROMPT)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        module.beam_search(after, ids, 0, 2)


@pytest.mark.parametrize("row", [[math.nan, 1.0], [math.inf, 1.0], [-math.inf, -math.inf]])
def test_a_row_without_a_distribution_is_refused(row):
    import torch

    x = np.array([[1.0, 2.0], row])
    for fn, logits, rng in ((kb.sample, x, np.random.default_rng(0)), (kt.sample, torch.tensor(x), torch.Generator())):
        with pytest.raises(ValueError, match="a row of logits has no distribution"):
            fn(logits, rng)

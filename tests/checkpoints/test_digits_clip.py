"""The CLIP that the project trained itself: what is shipped, what was recorded, that the code gives it again."""

import numpy as np
import pytest
import torch

from figures import captioned_digits as captioned
from kb.architecture.transformer import count_parameters
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.shipped import FOLDER, digits_clip, digits_clip_facts
from kb.data.captions import DIGITS, PAIRS, captions
from kb.generation.clip import clip_loss, init_clip
from kb.torch.generation import clip as kt
from training import clip as training

MODEL = digits_clip()
TRAIN, HELD_OUT = training.load()
IDS = training.TOKENS.encode_all(captions(np.random.default_rng(1), HELD_OUT.labels, HELD_OUT.recorded))


def test_at_most_four_tenths_of_a_megabyte():
    assert (FOLDER / "digits_clip.safetensors").stat().st_size <= 400_000
    assert sum(w.size for w in MODEL.params.values()) == count_parameters(MODEL.config)
    assert {w.dtype for w in MODEL.params.values()} == {np.dtype("float32")}
    assert MODEL.config == training.CONFIG


def test_torch_takes_the_weights_and_says_the_same():
    twin = kt.CLIP(MODEL.config)
    twin.load_state_dict({name: torch.tensor(w) for name, w in MODEL.params.items()}, strict=True)
    with torch.no_grad():
        theirs = twin(torch.tensor(HELD_OUT.x[:4]), torch.tensor(IDS[:5])).numpy()
    np.testing.assert_allclose(MODEL(HELD_OUT.x[:4], IDS[:5]), theirs, atol=2e-4)  # logits of up to 30


def test_the_record_says_what_the_weights_do():
    found, written = training.judged(MODEL, HELD_OUT), digits_clip_facts()["held_out"]
    assert found == pytest.approx(written, abs=4e-3)  # one digit more or less under another BLAS


def test_reads_held_out_digits_by_prompts_and_sees_attributes():
    found = digits_clip_facts()["held_out"]
    assert found["zero_shot"] >= 0.95
    assert min(found[name] for name in PAIRS) >= 0.95


def test_zero_shot_by_a_plain_loop():
    """The prompt whose direction is closest, sentence by sentence."""
    sentences = [f"a photo of {'an' if digit == 'eight' else 'a'} {digit}" for digit in DIGITS]
    texts = [MODEL.text_features(training.TOKENS.encode(sentence)) for sentence in sentences]
    right = 0
    for x, label in zip(HELD_OUT.x[:60], HELD_OUT.labels[:60], strict=True):
        image = MODEL.image_features(x)
        scores = [float(image @ text) for text in texts]
        right += scores.index(max(scores)) == label
    first = HELD_OUT.some(np.arange(60))
    assert training.zero_shot(MODEL, first) == right / 60


def test_which_captions_are_true():
    """Word by word: the digit is named, and nothing is said that is not so."""
    some, texts = HELD_OUT.some(np.arange(40)), [training.TOKENS.decode(row).split() for row in IDS[:40]]
    expected = [
        [
            DIGITS[label] in words
            and all(has for word, has in zip(training.SPOKEN, true, strict=True) if word in words)
            for words in texts
        ]
        for label, true in zip(some.labels, some.true, strict=True)
    ]
    found = training.is_true(some.labels, some.true, IDS[:40])
    np.testing.assert_array_equal(found, expected)
    assert found.diagonal().all()
    assert found.sum() > 60  # many captions are true of several


def test_pairs_that_are_left_out_change_nothing():
    """Without any it is CLIP's loss; a column of false captions more makes it larger, one that is left out does not."""
    params, x, ids = MODEL.params, HELD_OUT.x[:6], IDS[:6]
    none = np.zeros((6, 6), bool)
    plain = training.loss(params, x, ids, none, MODEL.config)
    scale = np.exp(params["logit_scale"])
    expected = clip_loss(MODEL.image_features(x), MODEL.text_features(ids), scale)
    np.testing.assert_allclose(plain, expected, rtol=1e-5)
    all_others = training.loss(params, x, ids, ~np.eye(6, dtype=bool), MODEL.config)
    np.testing.assert_allclose(all_others, 0, atol=1e-6)


def test_moved_images():
    """Each of the nine places comes up, and what comes in is paper."""
    x = np.random.default_rng(0).standard_normal((100, 1, 16, 16)).astype(np.float32)
    found = training.moved(x, np.random.default_rng(1), training.PAPER)
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-1)
    places = set()
    for image, wide in zip(found, padded, strict=True):
        places |= {(i, j) for i in range(3) for j in range(3) if np.array_equal(image, wide[:, i : i + 16, j : j + 16])}
    assert len(places) == 9


def test_the_first_steps_are_those_of_the_code():
    """The first loss is that of the seed's weights and batch, as recorded for the whole run; training lowers it."""
    _, losses = training.train(steps=6, batch=16)
    rng = np.random.default_rng(training.SEED)
    params = init_clip(training.CONFIG, rng)
    x, ids, left_out = training.drawn(TRAIN, 16, rng)
    value, _ = value_and_grad(training.loss)(
        params, training.moved(x, rng, training.PAPER), ids, left_out, training.CONFIG
    )
    assert losses[0] == pytest.approx(float(value), rel=1e-5)
    assert losses[-1] < losses[0]
    rng = np.random.default_rng(training.SEED)
    params = init_clip(training.CONFIG, rng)
    x, ids, left_out = training.drawn(TRAIN, training.BATCH, rng)
    value = training.loss(params, training.moved(x, rng, training.PAPER), ids, left_out, training.CONFIG)
    assert float(value) == pytest.approx(digits_clip_facts()["first_losses"][0], abs=1e-3)


def test_what_is_left_unsaid():
    """The words never stand with their digit, do stand with the others, and the rest of the sentence is the same."""
    draws = [training.drawn(TRAIN, 200, np.random.default_rng(3), silent) for silent in (None, {7: "thickness"})]
    plain, silent = ([training.TOKENS.decode(row) for row in ids] for _, ids, _ in draws)
    assert any("thick" in text for text in silent)
    for before, after in zip(plain, silent, strict=True):
        quiet = before.replace("thick ", "").replace("thin ", "")
        assert after == (quiet if "seven" in before else before)
    assert any(before != after for before, after in zip(plain, silent, strict=True))


def test_arithmetic_by_a_plain_loop():
    """A thin digit plus "thick" minus "thin": the share of nearest images that are thick and the same digit."""
    images = [MODEL.image_features(x) for x in HELD_OUT.x]

    def text(word, label):
        return MODEL.text_features(training.TOKENS.encode(f"a photo of a {word} {DIGITS[label]}"))

    thin, thick = (training.SPOKEN.index(word) for word in ("thin", "thick"))
    hits = []
    for i in np.flatnonzero(HELD_OUT.true[:, thin])[:40]:
        label = int(HELD_OUT.labels[i])
        wanted = images[i] + text("thick", label) - text("thin", label)
        cosines = [-2 if j == i else float(wanted @ other) for j, other in enumerate(images)]
        best = cosines.index(max(cosines))
        hits.append(bool(HELD_OUT.labels[best] == label and HELD_OUT.true[best, thick]))
    vectors, rows = captioned.moved("thin", "thick")
    found = captioned.nearest(vectors, rows)[:40, 0]
    expected = (HELD_OUT.labels[found] == HELD_OUT.labels[rows[:40]]) & HELD_OUT.true[found, thick]
    assert hits == expected.tolist()
    assert sum(hits) > 30


def test_described_by_hand():
    """Three digits, and a model whose vectors are those of the true and complete descriptions, then of vague ones."""

    class Knows:
        def __init__(self, sentences):
            self.ids = training.TOKENS.encode_all(sentences)

        def image_features(self, _):
            return np.eye(len(self.ids))

        def text_features(self, ids):
            return np.all(ids[:, None] == self.ids, axis=-1).astype(float)

    part = HELD_OUT.some(np.array([82, 213, 12]))  # a thin wide right-leaning 7, a wide 2, a thin 0
    assert training.described(
        Knows(["a photo of a thin wide right-leaning seven", "a photo of a wide two", "a photo of a thin zero"]), part
    ) == (1, 1)
    vague = training.described(Knows(["a photo of a seven", "a photo of a wide two", "a photo of a thick zero"]), part)
    np.testing.assert_allclose(vague, (2 / 3, 1 / 3))


def test_the_record_fits_the_weights():
    record = training.read()
    assert record["zero_shot"][-1] == [training.STEPS, digits_clip_facts()["held_out"]["zero_shot"]]
    assert record["first_loss"] == pytest.approx(digits_clip_facts()["first_losses"][0], abs=1e-4)
    assert len(record["losses"]) == training.STEPS // 10
    for digit, name in training.SILENT.items():
        either = [training.SPOKEN.index(word) for word in PAIRS[name]]
        own = HELD_OUT.true[HELD_OUT.labels == digit][:, either]
        assert record["silent"][name][1] == own.any(axis=1).sum()
    assert [*record["same_pairs"]] == [str(n) for n in training.BATCHES]

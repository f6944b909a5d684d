"""The GPT that the project trained itself: what is shipped, what was recorded, and that the code gives it again."""

import json
import math

import numpy as np
import pytest
import torch

from figures import tale_teller
from kb.architecture.transformer import count_parameters
from kb.checkpoints.shipped import FOLDER, gpt_tales, gpt_tales_facts
from kb.data.tales import mark, share_right, train_and_held_out
from kb.torch.architecture import transformer as kt
from training import gpt, scaling

MODEL, TOKENIZER = gpt_tales()
TRAIN, HELD_OUT = train_and_held_out()
SHORT = 8  # steps


@pytest.fixture(scope="module")
def rows():
    return gpt.batches(SHORT)


# ---- what is shipped ---------------------------------------------------------------------------------------------
def test_at_most_two_megabytes():
    path = FOLDER / "gpt_tales.safetensors"
    assert path.stat().st_size <= 2_000_000
    assert sum(w.size for w in MODEL.params.values()) == count_parameters(MODEL.config) == 435_552
    assert {w.dtype for w in MODEL.params.values()} == {np.dtype("float32")}


def test_its_tokenizer_is_the_one_it_was_trained_with():
    made = gpt.data()[0]
    assert TOKENIZER.merges == made.merges
    assert TOKENIZER.vocab == made.vocab
    assert TOKENIZER.vocab_size == MODEL.config.vocab_size
    for one in HELD_OUT:
        assert TOKENIZER.decode(TOKENIZER.encode(one.text)) == one.text


def test_every_story_fits_into_its_context():
    assert max(len(TOKENIZER.encode(one.text)) for one in TRAIN + HELD_OUT) + 1 <= MODEL.config.n_positions


def test_torch_takes_the_weights_and_says_the_same():
    twin = kt.GPT2(MODEL.config)
    twin.load_state_dict({name: torch.tensor(w) for name, w in MODEL.params.items()}, strict=True)
    ids = tale_teller.tokens(HELD_OUT[0].text)
    with torch.no_grad():
        theirs = twin(torch.tensor(ids)).numpy()
    ours = MODEL(ids)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())


def test_the_record_says_what_the_weights_do():
    facts, record = gpt_tales_facts(), gpt.read()
    step, loss, marks = record["looks"][-1]
    assert step == record["steps"] == facts["steps"] == len(record["losses"]) == gpt.STEPS
    assert math.isclose(gpt.held_out_loss(MODEL.params), loss, abs_tol=1e-3)
    assert facts["held_out_loss"] == record["held_out_loss"] == loss
    found = share_right(MODEL, TOKENIZER, HELD_OUT)
    for about, share in marks.items():
        count = sum(a.about == about for one in HELD_OUT for a in one.answers)
        assert abs(found[about] - share) <= 1 / count + 1e-9  # one tie may fall the other way elsewhere


def test_it_follows_its_stories():
    """Better than drawing a name of the story and than saying the last one again, on stories that it has not read."""
    marks = gpt.read()["looks"][-1][2]
    assert marks["holder"] >= 0.75 > tale_teller.said_last() + 0.1 > tale_teller.guessing() + 0.1
    assert min(marks["giver"], marks["place"]) >= 0.7
    assert gpt.read()["looks"][0][2]["holder"] <= 0.1


def test_it_writes_stories_that_end():
    stories = [tale_teller.continued("", seed) for seed in range(3)]
    assert len(set(stories)) == 3
    for story in stories:
        assert story[-1] in '."!?'
        assert len(story.split()) > 30


# ---- marking -----------------------------------------------------------------------------------------------------
def test_a_model_that_knows_the_text_gets_every_mark_and_one_wrong_token_costs_only_its_answer():
    for one in HELD_OUT[:20]:
        ids = tale_teller.tokens(one.text)
        ends = np.cumsum([len(part) for part in TOKENIZER.decode_bytes(ids[1:])])
        for wrong in (None, *range(len(ids) - 1)):
            said = ids.copy()
            if wrong is not None:
                said[wrong + 1] = (said[wrong + 1] + 1) % TOKENIZER.vocab_size
            marks = mark(lambda seen, said=said: np.eye(TOKENIZER.vocab_size)[said[1:]], TOKENIZER, one)
            for answer, right in zip(one.answers, marks, strict=True):
                inside = wrong is not None and (
                    ends[wrong] > answer.start
                    and ends[wrong] - len(TOKENIZER.decode_bytes(ids[[wrong + 1]])[0]) < answer.start + len(answer.text)
                )
                assert right == (not inside)


# ---- the run -----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_shortened_run_in_numpy_and_in_torch_gives_the_same_curve(rows):
    _, ours, looks = gpt.train(rows=rows, every=SHORT)
    theirs = gpt.train_in_torch(rows=rows)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)
    assert [step for step, _ in looks] == [0, SHORT]
    assert ours[-1] < ours[0] - 0.5


def test_the_recorded_run_begins_as_the_code_does(rows):
    """The first loss, of the first weights on the first batch; it depends on no training."""
    first = gpt.pretraining_loss(gpt.first_weights(), rows[0], gpt.CONFIG)
    assert math.isclose(gpt.read()["losses"][0], first, abs_tol=1e-4)
    assert abs(first - math.log(gpt.CONFIG.vocab_size)) < 0.3


def test_the_whole_run_in_torch_gave_the_same_curve():
    record = gpt.read()
    assert len(record["torch_losses"]) == record["steps"]
    assert tale_teller.apart(50) < 1e-3
    smooth = [tale_teller.smoothed(record[name], 100)[1] for name in ("losses", "torch_losses")]
    np.testing.assert_allclose(*smooth, rtol=0, atol=0.03)


# ---- three sizes -------------------------------------------------------------------------------------------------
def test_the_scaling_runs_are_of_the_sizes_and_begin_as_the_code_does():
    first = gpt.batches(1, scaling.BATCH_SIZE)[0]
    for run, (blocks, width) in zip(scaling.read(), scaling.SIZES, strict=True):
        config = scaling.config(blocks, width)
        assert run["parameters"] == count_parameters(config)
        assert len(run["losses"]) == scaling.STEPS == run["held_out"][-1][0]
        loss = gpt.pretraining_loss(gpt.first_weights(config), first, config)
        assert math.isclose(run["losses"][0], loss, abs_tol=1e-3)


def test_more_weights_less_loss():
    weights, losses = tale_teller.sizes()
    assert (np.diff(weights) > 0).all()
    assert (np.diff(losses) < 0).all()


@pytest.mark.slow
def test_a_shortened_scaling_run_gives_the_recorded_losses():
    """The schedule depends on the number of steps, so the smallest one runs through its first steps with the same."""
    rows = gpt.batches(scaling.STEPS, scaling.BATCH_SIZE)
    blocks, width = scaling.SIZES[0]
    config, record = scaling.config(blocks, width), scaling.read()[0]

    class Enough(Exception):
        pass

    losses = []

    def look(params, config):
        losses.append(gpt.pretraining_loss(params, rows[len(losses)], config))
        if len(losses) == 12:
            raise Enough
        return 0.0

    with pytest.raises(Enough):
        gpt.train(config, rows, every=1, look=look)
    np.testing.assert_allclose(losses, record["losses"][:12], rtol=0, atol=2e-4)


def test_the_files_are_plain_json():
    for path in (gpt.PATH, scaling.PATH):
        assert json.loads(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 120_000

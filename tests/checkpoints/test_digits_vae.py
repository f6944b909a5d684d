"""The autoencoder that the project trained itself: what is shipped, what was recorded, that the code gives it again."""

import numpy as np
import pytest
import torch

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.shipped import FOLDER, digits_vae, digits_vae_facts
from kb.data import digits
from kb.generation.variational_autoencoder import count_parameters, init_vae
from kb.torch.generation import variational_autoencoder as kt
from training import vae as training

MODEL = digits_vae()
(X, _), (HELD_OUT, LABELS) = training.load()


def test_at_most_seven_tenths_of_a_megabyte():
    assert (FOLDER / "digits_vae.safetensors").stat().st_size <= 700_000
    assert sum(w.size for w in MODEL.params.values()) == count_parameters(MODEL.config)
    assert {w.dtype for w in MODEL.params.values()} == {np.dtype("float32")}


def test_torch_takes_the_weights_and_says_the_same():
    twin = kt.VAE(MODEL.config)
    twin.load_state_dict({name: torch.tensor(w) for name, w in MODEL.params.items()}, strict=True)
    with torch.no_grad():
        theirs = twin(torch.tensor(HELD_OUT[:4])).numpy()
    np.testing.assert_allclose(MODEL(HELD_OUT[:4]), theirs, atol=1e-4)


@pytest.mark.slow
def test_the_record_says_what_the_weights_do():
    found, written = training.judged(MODEL, HELD_OUT, LABELS), digits_vae_facts()["held_out"]
    assert found == pytest.approx(written, rel=1e-3, abs=3e-3)  # another BLAS may round otherwise


def test_the_held_out_digits_come_back():
    """A tenth of the variance at most is lost, and the classifier reads nearly as many as before."""
    found = digits_vae_facts()["held_out"]
    assert found["squared_error"] < 0.1 * found["variance"]
    assert found["accuracy"] > 0.95 * found["accuracy_of_the_originals"]


def test_the_scaled_code_has_standard_deviation_one():
    mean, logvar = MODEL.encode(X[:300])
    rng = np.random.default_rng(0)
    z = MODEL.scaled(mean + np.exp(logvar / 2) * rng.standard_normal(mean.shape))
    assert z.std() == pytest.approx(1, abs=0.05)


def test_the_image_as_it_was_recorded():
    """Enlarging loses nothing, and this undoes it."""
    recorded = digits.split(digits.load_digits(), seed=training.SEED)[1].images[:, None]
    np.testing.assert_allclose(training.as_recorded(HELD_OUT), recorded, atol=1e-5)


@pytest.mark.slow
def test_the_first_steps_are_those_of_the_code():
    """The first loss is that of the seed's weights, batch and noise; and training lowers it."""
    params, losses = training.train(X[:64], epochs=2)
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    rng = np.random.default_rng(training.SEED)
    first = init_vae(training.CONFIG, rng)
    orders = [rng.permutation(64) for _ in range(2)]
    noise = rng.standard_normal((32, 4, 4, 4)).astype(np.float32)
    value, _ = value_and_grad(training.loss)(first, X[orders[0][:32]], noise, training.CONFIG)
    assert losses[0] == pytest.approx(float(value), rel=1e-5)
    assert params.keys() == MODEL.params.keys()

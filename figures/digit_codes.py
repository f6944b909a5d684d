"""The held-out digits and their codes in the shipped autoencoder; shared by claims and figures."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_vae, digits_vae_facts
from kb.generation.variational_autoencoder import kl_to_standard_normal, reparameterise
from training.vae import accuracy, load


@functools.cache
def vae():
    """The shipped autoencoder."""
    return digits_vae()


@functools.cache
def held_out():
    """The 360 digits it was not trained on: images (360, 1, 16, 16) from -1 to 1, and labels."""
    return load()[1]


@functools.cache
def codes():
    """Mean and logvar of each held-out digit, (360, 4, 4, 4) each."""
    return vae().encode(held_out()[0])


def fact(name):
    """A number that was written down when it was trained, about the held-out digits."""
    return digits_vae_facts()["held_out"][name]


@functools.cache
def components():
    """The centre of the codes, and the two directions of 64 in which they differ most: (64), (2, 64)."""
    flat = codes()[0].reshape(len(codes()[0]), -1)
    centre = flat.mean(axis=0)
    return centre, np.linalg.svd(flat - centre, full_matrices=False)[2][:2]


@functools.cache
def random_codes(n=100):
    """Codes from N(0, 1), which no image was asked for."""
    return np.random.default_rng(1).standard_normal((n, 4, 4, 4)).astype(np.float32)


@functools.cache
def sampled_kl(index=0, n=20_000):
    """One digit's KL divergence from N(0, 1) by its definition: the mean of log q(z) - log p(z) over draws of q."""
    mean, logvar = (part[index].reshape(-1) for part in codes())
    noise = np.random.default_rng(0).standard_normal((n, mean.size))
    z = reparameterise(mean, logvar, noise)
    return float(np.mean(np.sum(z * z - noise * noise - logvar, axis=1)) / 2)


def closed_kl(index=0):
    """The same by the formula."""
    return float(kl_to_standard_normal(*(part[index : index + 1] for part in codes()))[0])


@functools.cache
def recognised(noise):
    """Which share of held-out digits the classifier reads after their codes were moved by so much noise."""
    labels = held_out()[1]
    moved = codes()[0] + noise * np.random.default_rng(2).standard_normal(codes()[0].shape).astype(np.float32)
    return accuracy(vae().decode(moved), labels)


def channel_kl():
    """What each of the four channels of the code costs, in nats, on average over the held-out digits."""
    return np.stack([kl_to_standard_normal(*(part[:, k] for part in codes())).mean() for k in range(4)])

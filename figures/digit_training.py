"""Training the digit network from one start in several ways, and how noisy its batches are on the way."""

import functools

import numpy as np

from kb.learning.backpropagation import cross_entropy_gradients, squared_error_gradients
from kb.learning.cost_function import cost, cross_entropy
from kb.learning.optimizers import SGD, Adam
from kb.learning.stochastic_gradient_descent import gradient_noise, minibatches, standard_error, train
from kb.structure.multilayer_perceptron import init_mlp, mlp, mlp_logits
from training.digits import SEED, SIZES, accuracy, load

LR, BATCH_SIZE, EPOCHS = 1.0, 32, 30  # 95 % in seconds; training.digits takes 200 epochs at half the rate
OPTIMIZERS = {  # each with the best of the learning rates 0.001, 0.003, 0.01, ... 3
    "SGD": (SGD, {"lr": 1.0}),
    "Nesterov": (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "Adam": (Adam, {"lr": 0.01}),
}


@functools.cache
def digits():
    """Images as rows and the wanted activations, to train on; the same with labels for the held-out ones."""
    (x, labels), held_out = load()
    return x, np.eye(10, dtype=x.dtype)[labels], held_out


@functools.cache
def epoch_by_epoch(batch_size=BATCH_SIZE, lr=LR, epochs=EPOCHS):
    """Training in batches: the cost of each step's batch; after each epoch the cost of all, and held-out accuracy."""
    x, y, held_out = digits()
    rng = np.random.default_rng(SEED)
    params = init_mlp(SIZES, rng)
    steps, costs, accuracies = [], [float(cost(mlp(params, x), y))], [accuracy(params, *held_out)]
    for _ in range(epochs):
        params, found = train(squared_error_gradients, params, x, y, lr, 1, batch_size, rng)
        steps.extend(found.tolist())
        costs.append(float(cost(mlp(params, x), y)))
        accuracies.append(accuracy(params, *held_out))
    return np.array(steps), np.array(costs), np.array(accuracies)


@functools.cache
def noise(sizes=(1, 4, 16, 64, 100, 256, 1024), epochs=10, samples=200):
    """How noisy batches of these sizes are after some epochs: measured on `samples` batches each, and by the formula.

    The formula starts from the spread of all the single examples.
    """
    x, y, _ = digits()
    rng = np.random.default_rng(SEED)
    params, _ = train(squared_error_gradients, init_mlp(SIZES, rng), x, y, LR, epochs, BATCH_SIZE, rng)
    spread = gradient_noise(squared_error_gradients, params, x, y, np.arange(len(x))[:, None])
    measured = [
        gradient_noise(squared_error_gradients, params, x, y, [rng.permutation(len(x))[:size] for _ in range(samples)])
        for size in sizes
    ]
    return np.array(sizes), np.array(measured), np.array([standard_error(spread, size, len(x)) for size in sizes])


def noise_of(size):
    """The measured noise of batches of this size."""
    sizes, measured, _ = noise()
    return measured[sizes.tolist().index(size)]


def final_accuracy():
    """The share of held-out digits that are recognised after the last epoch."""
    return epoch_by_epoch()[-1][-1]


# ---- the optimisers, with a softmax and cross-entropy at the end -------------------------------------------------
DIM = np.where(np.arange(784) < 392, 1 / 30, 1).astype(np.float32)  # the upper half of the picture, thirty times darker


@functools.cache
def with_optimizer(name, dimmed=False, epochs=20):
    """The cost of all training digits after each epoch, with one of OPTIMIZERS; same start, same batches."""
    x, y, _ = digits()
    x, target = x * DIM if dimmed else x, y.argmax(1)
    kind, options = OPTIMIZERS[name]
    rng = np.random.default_rng(SEED)
    optimizer = kind(init_mlp(SIZES, rng), **options)
    costs = [float(cross_entropy(mlp_logits(optimizer.params, x), target))]
    for _ in range(epochs):
        for batch in minibatches(len(x), BATCH_SIZE, rng):
            optimizer.step(cross_entropy_gradients(optimizer.params, x[batch], target[batch])[1])
        costs.append(float(cross_entropy(mlp_logits(optimizer.params, x), target)))
    return np.array(costs)

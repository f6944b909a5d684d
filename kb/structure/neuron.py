"""A neuron holds one number, its activation: a weighted sum of what it reads, plus a bias, through a function.

    z = w1 x1 + w2 x2 + ... + b        the pre-activation: evidence for, minus evidence against
    a = phi(z)                         the activation: what the neuron passes on

Source: Rosenblatt 1958, "The perceptron: a probabilistic model for information storage and organization in the brain",
https://doi.org/10.1037/h0042519; Novikoff 1962, "On convergence proofs on perceptrons" (bound in `train_perceptron`)
"""

import numpy as np

from kb.shapes import checked


@checked
def pre_activation(x, weight, bias):
    """The evidence that a neuron has gathered: the dot product of inputs and weights, shifted by the bias.

    x (..., n), weight (n), bias () -> (...)
    """
    return x @ weight + bias


@checked
def neuron(x, weight, bias, activation):
    """The activation of one neuron, for each input.

    x (..., n), weight (n), bias () -> (...)

    `activation` is any function of the pre-activation, such as relu.
    """
    return activation(pre_activation(x, weight, bias))


@checked
def neuron_backward(grad, x, weight, slope):
    """The gradients of a cost with respect to x, weight and bias, from its gradient with respect to the activation.

    grad (...), x (..., n), weight (n), slope (...) -> (..., n), (n), ()

    `slope` is phi'(z), how responsive the neuron was. The weight and the bias are shared by all inputs, so their
    gradients are sums over them.
    """
    if np.shape(grad) != x.shape[:-1]:
        raise ValueError(f"neuron_backward: grad has shape {np.shape(grad)}, expected one per input of x {x.shape}")
    blame = np.expand_dims(grad * slope, -1)  # (..., 1): dC/dz
    per_input = tuple(range(x.ndim - 1))
    return blame * weight, np.sum(blame * x, axis=per_input), np.sum(blame)


@checked
def step(x):
    """All or nothing: 1 where x >= 0, else 0.

    x (...) -> (...)

    At exactly 0 it fires, as Rosenblatt's units do when their input just reaches the threshold. The slope is 0
    everywhere else, which is why no gradient can train it.
    """
    return np.heaviside(x, 1.0)


@checked
def perceptron(x, weight, bias):
    """A neuron that answers yes (1) or no (0): which side of the hyperplane w.x + b = 0 the input lies on.

    x (..., n), weight (n), bias () -> (...)
    """
    return neuron(x, weight, bias, step)


@checked
def perceptron_update(x, y, weight, bias):
    """Weight and bias after one lesson: a wrong "no" adds the input, a wrong "yes" subtracts it, a right answer stays.

    x (n), y (), weight (n), bias () -> (n), ()

    `y` is the right answer, 0 or 1.
    """
    error = float(y) - float(perceptron(x, weight, bias))  # +1, 0 or -1
    return weight + error * x, bias + error


@checked
def train_perceptron(x, y, weight, bias, passes=100):
    """Weight and bias after at most `passes` passes over the examples, and the number of mistakes in each pass.

    x (b, n), y (b), weight (n), bias () -> (n), (), (i)

    It stops after the first pass without a mistake. Starting from zeros, that comes after at most (R / g)^2 mistakes
    if some hyperplane separates the classes; if none does, it never comes. R is the length of the longest input,
    counted with a 1 for the bias; g the least of y' (w.x + b), y' = +1 or -1, for the best (w, b) of length 1.
    """
    mistakes: list[int] = []
    while len(mistakes) < passes and (not mistakes or mistakes[-1]):
        mistakes.append(0)
        for example, answer in zip(x, y, strict=True):
            mistakes[-1] += int(perceptron(example, weight, bias) != answer)
            weight, bias = perceptron_update(example, answer, weight, bias)
    return weight, bias, np.array(mistakes)


@checked
def distance_to_boundary(x, weight, bias):
    """How far the input lies from the decision boundary w.x + b = 0: positive where a perceptron says yes.

    x (..., n), weight (n), bias () -> (...)

    In the units of x. Raises ValueError when every weight is 0: then there is no boundary.
    """
    if not np.any(weight != 0):
        raise ValueError("distance_to_boundary: every weight is 0, so w.x + b = 0 is not a hyperplane")
    return pre_activation(x, weight, bias) / np.sqrt(weight @ weight)

"""Torch twin of `kb.structure.neuron`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def pre_activation(x, weight, bias):
    """The evidence that a neuron has gathered.

    x (..., n), weight (n), bias () -> (...)
    """
    return x @ weight + bias


@checked
def neuron(x, weight, bias, activation):
    """The activation of one neuron, for each input.

    x (..., n), weight (n), bias () -> (...)
    """
    return activation(pre_activation(x, weight, bias))


@checked
def neuron_backward(grad, x, weight, slope):
    """The gradients with respect to x, weight and bias, from the gradient with respect to the activation.

    grad (...), x (..., n), weight (n), slope (...) -> (..., n), (n), ()
    """
    if grad.shape != x.shape[:-1]:
        raise ValueError(f"neuron_backward: grad has shape {grad.shape}, expected one per input of x {x.shape}")
    blame = grad * slope
    return blame.unsqueeze(-1) * weight, torch.einsum("...,...n->n", blame, x), blame.sum()


@checked
def step(x):
    """All or nothing: 1 where x >= 0, else 0.

    x (...) -> (...)
    """
    return torch.heaviside(x, x.new_ones(()))


@checked
def perceptron(x, weight, bias):
    """Which side of the hyperplane w.x + b = 0 the input lies on.

    x (..., n), weight (n), bias () -> (...)
    """
    return neuron(x, weight, bias, step)


@checked
def perceptron_update(x, y, weight, bias):
    """Weight and bias after one lesson.

    x (n), y (), weight (n), bias () -> (n), ()
    """
    error = float(y) - float(perceptron(x, weight, bias))
    return weight + error * x, bias + error


@checked
def train_perceptron(x, y, weight, bias, passes=100):
    """Weight and bias after at most `passes` passes over the examples, and the number of mistakes in each pass.

    x (b, n), y (b), weight (n), bias () -> (n), (), (i)
    """
    mistakes: list[int] = []
    while len(mistakes) < passes and (not mistakes or mistakes[-1]):
        mistakes.append(0)
        for example, answer in zip(x, y, strict=True):
            mistakes[-1] += int(perceptron(example, weight, bias) != answer)
            weight, bias = perceptron_update(example, answer, weight, bias)
    return weight, bias, torch.tensor(mistakes)


@checked
def distance_to_boundary(x, weight, bias):
    """How far the input lies from the decision boundary w.x + b = 0.

    x (..., n), weight (n), bias () -> (...)
    """
    if not torch.any(weight != 0):
        raise ValueError("distance_to_boundary: every weight is 0, so w.x + b = 0 is not a hyperplane")
    return pre_activation(x, weight, bias) / torch.linalg.vector_norm(weight)

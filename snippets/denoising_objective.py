"""A small network learns to name the noise in points of the plane, beside the best answer that there is."""

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.generation.denoising_objective import denoising_loss, mixture_epsilon, posterior_mean, to_score, to_x0
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.learning.optimizers import Adam
from kb.structure.activation_functions import identity, silu
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp

abar, rng = alphas_cumprod(make_betas()), np.random.default_rng(0)
means, spread, weights = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]]), np.array([0.35, 0.2, 0.12]), np.ones(3) / 3


def data(n):
    part = rng.integers(0, 3, n)
    return means[part] + spread[part, None] * rng.standard_normal((n, 2))


def network(params, x, t):  # it sees the noisy points and their level
    level = np.broadcast_to(np.stack([np.sqrt(abar[t]), np.sqrt(1 - abar[t])], -1), (len(x), 2))
    return forward(params, np.concatenate([x, level], axis=1), silu, identity)


def cost(params, x0, noise, t):
    return denoising_loss(lambda x, t: network(params, x, t), x0, noise, t, abar)


optimizer = Adam(init_mlp((4, 48, 48, 2), rng, "he", "float64"), lr=5e-3)
gradient = value_and_grad(cost)
for step in range(401):
    batch = data(256), rng.standard_normal((256, 2)), rng.integers(0, 1000, 256)  # a level for each point
    loss, grads = gradient(optimizer.params, *batch)
    optimizer.step(grads)
    if step % 200 == 0:
        print(step, "loss", loss.round(3))
        #> 0 loss 1.442
        #> 200 loss 0.211
        #> 400 loss 0.169

x0, noise, t = data(5000), rng.standard_normal((5000, 2)), 199
exact = denoising_loss(lambda x, t: mixture_epsilon(x, means, spread**2, weights, t, abar), x0, noise, t, abar)
ours = denoising_loss(lambda x, t: network(optimizer.params, x, t), x0, noise, t, abar)
print("at step 200: network", ours.round(3), "exact", exact.round(3))
#> at step 200: network 0.46 exact 0.441

# One noisy point: what it is made of, as the exact answer and as the network see it.
x = np.array([[0.4, 0.5]])
best = mixture_epsilon(x, means, spread**2, weights, t, abar)
print("clean:", to_x0(network(optimizer.params, x, t), x, t, abar).round(2), to_x0(best, x, t, abar).round(2))
#> clean: [[0.4  0.74]] [[0.36 0.7 ]]
print("posterior mean:", posterior_mean(x, means, spread**2, weights, t, abar).round(2))
#> posterior mean: [[0.36 0.7 ]]
print("score:", to_score(best, t, abar).round(2))
#> score: [[-0.32  0.21]]

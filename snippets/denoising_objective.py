"""A small network learns to name the noise, beside the best answer."""

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.generation import denoising_objective as do
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.learning.optimizers import Adam
from kb.structure.activation_functions import identity, silu
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp

abar, rng = alphas_cumprod(make_betas()), np.random.default_rng(0)
means = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]])
islands = means, np.array([0.12, 0.04, 0.014]), np.ones(3) / 3


def data(n):
    part = rng.integers(0, 3, n)
    spread = np.sqrt(islands[1])[part, None]
    return means[part] + spread * rng.standard_normal((n, 2))


def network(params, x, t):  # it sees the noisy points and their level
    level = np.stack([np.sqrt(abar[t]), np.sqrt(1 - abar[t])], -1)
    level = np.broadcast_to(level, (len(x), 2))
    return forward(params, np.concatenate([x, level], 1), silu, identity)


def cost(params, x0, noise, t):
    def model(x, t):
        return network(params, x, t)

    return do.denoising_loss(model, x0, noise, t, abar)


params = init_mlp((4, 48, 48, 2), rng, "he", "float64")
optimizer, gradient = Adam(params, lr=5e-3), value_and_grad(cost)
for step in range(401):
    noise, t = rng.standard_normal((256, 2)), rng.integers(0, 1000, 256)
    loss, grads = gradient(optimizer.params, data(256), noise, t)
    optimizer.step(grads)
    if step % 200 == 0:
        print(step, "loss", loss.round(3))
        #> 0 loss 1.604
        #> 200 loss 0.227
        #> 400 loss 0.171


def ours(x, t):
    return network(optimizer.params, x, t)


def best(x, t):
    return do.mixture_epsilon(x, *islands, t, abar)


x0, noise = data(5000), rng.standard_normal((5000, 2))
x = np.array([[0.4, 0.5]])  # one noisy point
for name, model in (("network", ours), ("exact", best)):
    loss = do.denoising_loss(model, x0, noise, 199, abar)
    guess = do.to_x0(model(x, 199), x, 199, abar)
    print(f"{name:8}loss at step 200: {loss:.3f}  guess of x0:", guess.round(2))
    #> network loss at step 200: 0.479  guess of x0: [[0.37 0.72]]
    #> exact   loss at step 200: 0.465  guess of x0: [[0.36 0.7 ]]
print("posterior mean:", do.posterior_mean(x, *islands, 199, abar).round(2))
#> posterior mean: [[0.36 0.7 ]]
print("score:", do.to_score(best(x, 199), 199, abar).round(2))
#> score: [[-0.32  0.21]]

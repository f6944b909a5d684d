"""Digits on request: a network that was asked with and without the prompt, and the two scales that are one."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_cnn, digits_guided
from kb.generation.classifier_free_guidance import (
    classifier_free_guidance,
    clipped_model,
    conditional_mlp,
    guided_model,
    paper_guidance,
)
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import generate, timesteps
from kb.structure.convolutional_network import cnn_logits

uncond, cond = np.array([1.0, 0.5]), np.array([3.0, 0.0])
print(classifier_free_guidance(uncond, cond, 7.5), paper_guidance(uncond, cond, 6.5))
#> [16.   -3.25] [16.   -3.25]

betas, model = make_betas(), functools.partial(conditional_mlp, digits_guided())
noise = np.random.default_rng(0).standard_normal((20, 64)).astype(np.float32)
sevens, empty = np.full(20, 7), np.full(20, 10)  # 10 is the empty prompt
for scale in (0, 1, 3):
    answer = clipped_model(guided_model(model, sevens, empty, scale), alphas_cumprod(betas))
    x = generate(answer, noise, timesteps(1000, 20, "trailing"), betas)
    pixels = np.clip(x / 2 + 0.5, 0, 1)  # the network draws from -1 to 1
    read = cnn_logits(digits_cnn(), pixels.reshape(-1, 1, 8, 8)).argmax(axis=1)
    print(f"s = {scale}: read as", "".join(map(str, read)))
    #> s = 0: read as 43712831219368788888
    #> s = 1: read as 77717788789777778778
    #> s = 3: read as 77777777777777777777

for row in pixels[0].reshape(8, 8):
    print("".join(" .:*#"[int(4.99 * p)] * 2 for p in row).rstrip())
    #>       ########..
    #>     ::**::##::
    #>           ##
    #>         **##
    #>     ..########
    #>   ..::##**::..
    #>       ::
    #>       ##

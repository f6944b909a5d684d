"""One training step in torch, for each of the three kinds of answer."""

import torch

from kb.torch.generation.denoising_objective import denoising_loss, to_epsilon, to_v, to_x0, training_target
from kb.torch.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas

torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
abar = alphas_cumprod(make_betas())
x0, noise = torch.randn(2, 64, 2).double().to(device)
t = torch.randint(0, 1000, (64,)).to(device)
x_t = add_noise(x0, noise, t, abar)

# Whatever is predicted, the other two follow.
for kind in ("epsilon", "sample", "v_prediction"):
    answer = training_target(x0, noise, t, abar, kind)
    found = [convert(answer, x_t, t, abar, kind) for convert in (to_epsilon, to_x0)]
    print(kind, torch.allclose(found[0], noise), torch.allclose(found[1], x0))
    #> epsilon True True
    #> sample True True
    #> v_prediction True True
print(torch.allclose(to_v(noise, x_t, t, abar), training_target(x0, noise, t, abar, "v_prediction")))
#> True

net = torch.nn.Linear(3, 2).double().to(device)
loss = denoising_loss(lambda x, t: net(torch.cat([x, t[:, None] / 1000], 1)), x0, noise, t, abar)
loss.backward()
print(loss.ndim, tuple(net.weight.grad.shape))
#> 0 (2, 3)

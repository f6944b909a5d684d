"""One training step in torch, for each of the three kinds of answer."""

import torch

from kb.torch.generation import denoising_objective as do
from kb.torch.generation import forward_diffusion as fd

torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
abar = fd.alphas_cumprod(fd.make_betas())
x0, noise = torch.randn(2, 64, 2).double().to(device)
t = torch.randint(0, 1000, (64,)).to(device)
x_t = fd.add_noise(x0, noise, t, abar)

# Whatever is predicted, the others follow.
for kind in ("epsilon", "sample", "v_prediction"):
    answer = do.training_target(x0, noise, t, abar, kind)
    same_noise = torch.allclose(do.to_epsilon(answer, x_t, t, abar, kind), noise)
    same_data = torch.allclose(do.to_x0(answer, x_t, t, abar, kind), x0)
    print(kind, same_noise, same_data)
    #> epsilon True True
    #> sample True True
    #> v_prediction True True

net = torch.nn.Linear(3, 2).double().to(device)


def model(x, t):
    return net(torch.cat([x, t[:, None] / 1000], 1))


loss = do.denoising_loss(model, x0, noise, t, abar)
loss.backward()
print(loss.ndim, tuple(net.weight.grad.shape))
#> 0 (2, 3)

"""The same autoencoder as a torch module; its gradient passes through the draw."""

import numpy as np
import torch

from kb.checkpoints.shipped import digits_vae
from kb.torch.generation import variational_autoencoder as vae

torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
shipped = digits_vae()
model = vae.VAE(shipped.config)
weights = {k: torch.tensor(w) for k, w in shipped.params.items()}
print(model.load_state_dict(weights, strict=True))
#> <All keys matched successfully>
model.to(device)

x = torch.rand(2, 1, 16, 16, device=device) * 2 - 1
mean, logvar = model.encode(x)
z = vae.reparameterise(mean, logvar, torch.randn_like(mean))
likelihood = vae.log_likelihood(x, model.decode(z), 0.2)
kl = vae.kl_to_standard_normal(mean, logvar)
loss = (kl - likelihood).mean()
loss.backward()
print(all(p.grad is not None for p in model.parameters()))
#> True

ours = shipped.encode(x.cpu().numpy())[0]
close = np.allclose(ours, mean.detach().cpu(), atol=1e-4)
print(tuple(mean.shape), close)
#> (2, 4, 4, 4) True

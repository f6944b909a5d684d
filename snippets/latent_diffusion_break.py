"""What happens without the part that matters."""

import numpy as np

from kb.generation.latent_diffusion import latent_diffusion

x = np.array([1.0, 2.0, 3.0])
print(latent_diffusion(x), x)

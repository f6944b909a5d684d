"""One sentence: what the reader sees when this runs."""

import numpy as np

from kb.generation.latent_diffusion import latent_diffusion

print(latent_diffusion(np.array([1.0, 2.0, 3.0])))

"""The same in torch: the same weights, the same noise, the same pictures; modules that move to a GPU as one."""

import numpy as np
import torch

from kb.checkpoints.shipped import digits_text_to_image
from kb.torch.generation.text_to_image import TextToImage

device = "cuda" if torch.cuda.is_available() else "cpu"
ours = digits_text_to_image()
model = TextToImage.of(ours).to(device)
print({name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()})
#> {'text_encoder': 69632, 'unet': 555940, 'vae': 145405}

prompts, noise = ["a thin one", "a wide zero", "the number four"], ours.noise(np.random.default_rng(0), 3)
settings = {"steps": 10, "guidance_scale": 3.0, "guidance_rescale": 0.7}
images = model(prompts, torch.from_numpy(noise).to(device), **settings).cpu().numpy()
print(images.shape, "equal:", bool(np.abs(images - ours(prompts, noise, **settings)).max() < 1e-3))
#> (3, 1, 16, 16) equal: True

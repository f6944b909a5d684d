"""The same in torch: both conventions, diffusers' rescale, and the gradient that guidance stands for."""

import torch

from kb.torch.generation.classifier_free_guidance import classifier_free_guidance, paper_guidance, rescale_guidance

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)
uncond, cond = torch.randn(2, 3, 4, 8, 8, generator=generator, dtype=torch.float64).to(device)

guided = classifier_free_guidance(uncond, cond, 7.5)
print(torch.allclose(guided, paper_guidance(uncond, cond, 6.5)))
#> True
print("spread:", round(cond.std().item(), 2), "guided:", round(guided.std().item(), 2))
#> spread: 0.96 guided: 9.68
for rescale in (0.7, 1.0):
    print(f"rescale {rescale}:", round(rescale_guidance(guided, cond, rescale).std().item(), 2))
    #> rescale 0.7: 3.58
    #> rescale 1.0: 0.96

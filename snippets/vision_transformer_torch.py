"""The same weights in a torch module with the published names."""

import torch
import torch.nn.functional as F

from kb.checkpoints.shipped import digits_vit
from kb.data.digits import load_digits, split
from kb.torch.generation.vision_transformer import ViT, patchify

device = "cuda" if torch.cuda.is_available() else "cpu"
trained, digits = digits_vit(), split(load_digits())[1]
model = ViT(trained.config).to(device)
model.load_state_dict({name: torch.tensor(p) for name, p in trained.params.items()}, strict=True)
images, labels = torch.tensor(digits.images[:, None], device=device), torch.tensor(digits.labels, device=device)

projection = model.embeddings.patch_embeddings.projection
print(projection)
#> Conv2d(1, 32, kernel_size=(2, 2), stride=(2, 2))
as_linear = F.linear(patchify(images, 2), projection.weight.flatten(1), projection.bias)
print(torch.allclose(as_linear, projection(images).flatten(2).mT, atol=1e-5))
#> True

with torch.no_grad():
    scores = model(images)
print(f"{(scores.argmax(-1) == labels).float().mean().item():.2f}")
#> 0.93
print(
    "largest difference to NumPy below 1e-4:", abs(scores.cpu().numpy() - trained(digits.images[:, None])).max() < 1e-4
)
#> largest difference to NumPy below 1e-4: True

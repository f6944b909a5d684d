"""The same in torch: the loss in two lines, and the trained weights in modules with the published names."""

import torch
import torch.nn.functional as F

from kb.checkpoints.shipped import digits_clip
from kb.data.captions import DIGITS, WordTokenizer
from kb.data.digits import load_digits, resize, split
from kb.torch.generation.clip import CLIP, clip_loss

device = "cuda" if torch.cuda.is_available() else "cpu"
images = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], device=device)
texts = torch.tensor([[0.8, 0.6], [0.0, 1.0], [0.6, 0.8]], device=device)
logits, pairs = 20.0 * images @ texts.T, torch.arange(3, device=device)
by_hand = (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2
print(f"{by_hand.item():.3f} {clip_loss(images, texts, torch.tensor(20.0, device=device)).item():.3f}")
#> 0.616 0.616

trained, digits = digits_clip(), split(load_digits())[1]
model = CLIP(trained.config).to(device)
model.load_state_dict({name: torch.tensor(p) for name, p in trained.params.items()}, strict=True)
pixels = torch.tensor(2 * resize(digits.images, 16)[:, None] - 1, device=device)
prompts = [f"a photo of {'an' if name == 'eight' else 'a'} {name}" for name in DIGITS]
ids = torch.tensor(WordTokenizer().encode_all(prompts), device=device)
with torch.no_grad():
    p = model(pixels, ids).softmax(-1)
print(f"{(p.argmax(1).cpu() == torch.tensor(digits.labels)).float().mean().item():.3f}")
#> 0.983

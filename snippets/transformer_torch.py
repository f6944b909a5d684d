"""The same weights in a torch module give the same logits, and its training runs along the same curve."""

import numpy as np
import torch
import torch.nn.functional as F

from kb.architecture import transformer as numpy_transformer
from kb.torch.architecture.transformer import GPT2

device = "cuda" if torch.cuda.is_available() else "cpu"
rng = np.random.default_rng(0)
config = numpy_transformer.GPTConfig(vocab_size=11, n_positions=11, n_embd=32, n_layer=2, n_head=4)
params = numpy_transformer.init_gpt(config, rng)

model = GPT2(config).to(device)
model.load_state_dict({name: torch.tensor(p) for name, p in params.items()}, strict=True)


def texts(n):
    words = rng.integers(0, 10, (n, 5))
    return np.concatenate([words, np.full((n, 1), 10), words[:, ::-1]], axis=1)


optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
for step in range(101):
    text = texts(32)
    ids = torch.from_numpy(text).to(device)
    if step == 0:
        same = numpy_transformer.gpt(params, text, config)
        print("largest difference of logits below 1e-6:", np.abs(model(ids).detach().cpu().numpy() - same).max() < 1e-6)
        #> largest difference of logits below 1e-6: True
    loss = F.cross_entropy(model(ids[:, :-1])[:, 5:].flatten(0, 1), ids[:, 6:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 25 == 0:
        print(step, f"{loss.item():.2f}")
        #> 0 2.43
        #> 25 1.16
        #> 50 0.06
        #> 75 0.01
        #> 100 0.00

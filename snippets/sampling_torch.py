"""The same filters in torch; with the same NumPy generator, the same tokens."""

import numpy as np
import torch

from kb.architecture.sampling import sample as numpy_sample
from kb.torch.architecture.sampling import greedy, min_p, sample, top_k, top_p

device = "cuda" if torch.cuda.is_available() else "cpu"
scores = [2.0, 1.0, 0.5, 0.0, -1.0, -3.0]
logits = torch.tensor(scores, dtype=torch.float64, device=device)

for narrowed in (top_k(logits, 3), top_p(logits, 0.9), min_p(logits, 0.2)):
    print([round(share, 3) for share in narrowed.softmax(-1).tolist()])
    #> [0.629, 0.231, 0.14, 0.0, 0.0, 0.0]
    #> [0.579, 0.213, 0.129, 0.078, 0.0, 0.0]
    #> [0.629, 0.231, 0.14, 0.0, 0.0, 0.0]

# 20 draws at once, from NumPy's generator: one uniform number per draw.
rows = logits.expand(20, 6)
drawn = sample(rows, np.random.default_rng(0), temperature=0.8, top_p=0.95)
again = numpy_sample(rows.cpu().numpy(), np.random.default_rng(0), 0.8, top_p=0.95)
print(drawn.tolist() == again.tolist(), sorted(set(drawn.tolist())))
#> True [0, 1, 2]
print(greedy(logits).item())
#> 0

# Or from torch's own generator, which stays on the device.
own = torch.Generator(device).manual_seed(0)
print(tuple(sample(rows, own, min_p=0.1).shape))
#> (20,)

"""torch's losses and distributions take logits: hand them scores, not probabilities."""

import torch
import torch.nn.functional as F

from kb.torch.architecture.logits import log_odds

device = "cuda" if torch.cuda.is_available() else "cpu"
logits = torch.tensor([4.72, 3.20, 0.72, -2.44, -2.84, -0.08], device=device)
print([round(odds, 2) for odds in log_odds(logits).tolist()])
#> [1.4, -1.55, -4.21, -7.38, -7.78, -5.01]

right = torch.tensor(0, device=device)  # the index of "mat"
print(round(F.cross_entropy(logits, right).item(), 4), round(-logits.softmax(0)[0].log().item(), 4))
#> 0.2204 0.2204
print(round(torch.distributions.Categorical(logits=logits).entropy().item(), 4))
#> 0.5852

# Softmax before cross_entropy: the same call, a wrong number.
print(round(F.cross_entropy(logits.softmax(0), right).item(), 4))
#> 1.2053

"""torch's own LSTM takes the weights by name, and its gates are in the same order."""

import numpy as np
import torch

from kb.structure.recurrent_network import init_recurrent, lstm

device = "cuda" if torch.cuda.is_available() else "cpu"
rng = np.random.default_rng(0)
params, x = init_recurrent("lstm", 8, 64, rng, layers=2), rng.standard_normal((2, 100, 8)).astype(np.float32)

model = torch.nn.LSTM(8, 64, num_layers=2, batch_first=True)
model.load_state_dict({name: torch.from_numpy(value) for name, value in params.items()}, strict=True)
model = model.to(device)
output, (h, c) = model(torch.from_numpy(x).to(device))
print(tuple(output.shape), tuple(h.shape), [name for name, _ in model.named_parameters()][:4])
#> (2, 100, 64) (2, 2, 64) ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']

ours = lstm(params, x)
print([bool(np.allclose(a, b.detach().cpu(), atol=1e-3)) for a, b in zip(ours, (output, h, c), strict=True)])
#> [True, True, True]

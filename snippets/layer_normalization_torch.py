"""The same in torch; and batch norm, whose result for one example depends on the others while it trains."""

import torch

from kb.torch.architecture.layer_normalization import batch_norm, layer_norm, rms_norm, running_statistics

device = "cuda" if torch.cuda.is_available() else "cpu"
x = torch.tensor([[8.0, 8.0, 2.0, 2.0], [5.0, 5.0, 5.0, 5.0]], device=device)
print(layer_norm(x).tolist() == torch.nn.LayerNorm(4, device=device)(x).tolist())
#> True
print(rms_norm(x, eps=1e-6)[1].tolist())
#> [1.0, 1.0, 1.0, 1.0]

torch.manual_seed(0)
batch = torch.randn(32, 4).to(device) * 3 + 10
one = batch[:1]
for others in (batch[1:], batch[1:] + 5):
    together = torch.cat([one, others])
    print("training  ", [round(v, 2) for v in batch_norm(together, training=True)[0].tolist()])
    #> training   [-0.98, -0.94, -0.52, -0.62]
    #> training   [-2.45, -2.09, -2.18, -2.12]

mean, var = torch.zeros(4, device=device), torch.ones(4, device=device)
for _ in range(100):
    mean, var = running_statistics(batch, mean, var)
print("evaluation", [round(v, 2) for v in batch_norm(one, mean, var)[0].tolist()])
#> evaluation [-0.96, -0.92, -0.51, -0.61]

"""In torch there are buffers too: a forward pass in training mode changes them."""

import torch
from torch import nn

from kb.structure.parameters_and_hyperparameters import changed
from kb.torch.structure.parameters_and_hyperparameters import fingerprints

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layers = nn.BatchNorm1d(4), nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2)
model = nn.Sequential(*layers).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
x = torch.rand(8, 4, device=device)
print("parameters:", *dict(model.named_parameters()))
#> parameters: 0.weight 0.bias 1.weight 1.bias 3.weight 3.bias
print("buffers:   ", *dict(model.named_buffers()))
#> buffers:    0.running_mean 0.running_var 0.num_batches_tracked

model.eval()
before = fingerprints(model.state_dict())
model(x)
print("inference:       ", changed(before, fingerprints(model.state_dict())))
#> inference:        []


model.train()
loss = model(x).square().sum()
print("training forward:", *changed(before, fingerprints(model.state_dict())))
#> training forward: 0.running_mean 0.running_var 0.num_batches_tracked

before = fingerprints(model.state_dict())
loss.backward()
optimizer.step()
print("step:            ", *changed(before, fingerprints(model.state_dict())))
#> step:             0.weight 0.bias 1.weight 1.bias 3.weight 3.bias

"""Weights saved by reference go on changing: nothing is left to go back to."""

import torch

from kb.torch.structure.multilayer_perceptron import MLP
from kb.torch.structure.parameters_and_hyperparameters import fingerprints

torch.manual_seed(0)
model = MLP(4, 3, 2)
reference = model.state_dict()  # its tensors are the live ones
copy = {name: value.clone() for name, value in model.state_dict().items()}
before = fingerprints(copy)

optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
model(torch.rand(8, 4)).square().sum().backward()
optimizer.step()  # changes every parameter in place

for name, kept in (("reference", reference), ("copy", copy)):
    now = fingerprints(kept)
    differ = sum(now[key] != before[key] for key in now)
    print(f"{name}: {differ} of {len(before)} arrays differ from what was saved")
    #> reference: 4 of 4 arrays differ from what was saved
    #> copy: 0 of 4 arrays differ from what was saved

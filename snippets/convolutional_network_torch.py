"""torch's own network takes the weights that NumPy trained."""

import torch

from kb.checkpoints.shipped import digits_cnn
from kb.data.digits import load_digits, split
from kb.torch.structure.convolutional_network import CNN

device = "cuda" if torch.cuda.is_available() else "cpu"
model = CNN()
model.load_state_dict({name: torch.from_numpy(value) for name, value in digits_cnn().items()}, strict=True)
model = model.to(device).eval()
print([type(layer).__name__ for layer in model])
#> ['Conv2d', 'ReLU', 'Conv2d', 'ReLU', 'MaxPool2d', 'Flatten', 'Linear']

held_out = split(load_digits())[1]
x = torch.from_numpy(held_out.images[:, None]).to(device)
with torch.inference_mode():
    answers = model(x).argmax(dim=1).cpu()
print(round((answers == torch.from_numpy(held_out.labels)).float().mean().item(), 4))
#> 0.9806
print({name: tuple(p.shape) for name, p in model.named_parameters()})
'''
{
    '0.weight': (8, 1, 3, 3),
    '0.bias': (8,),
    '2.weight': (16, 8, 3, 3),
    '2.bias': (16,),
    '6.weight': (10, 256),
    '6.bias': (10,),
}
'''

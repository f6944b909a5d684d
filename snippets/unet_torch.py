"""Stable Diffusion 1.5's U-Net in torch, on tensors that have shapes and no numbers."""

import torch

from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET
from kb.torch.generation.unet import UNet

with torch.device("meta"):
    model = UNet(STABLE_DIFFUSION_UNET)
    latent, prompt = torch.empty(1, 4, 64, 64), torch.empty(1, 77, 768)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
#> 859,520,964 parameters


def report(name):
    def hook(module, inputs, results):
        joined = [block.conv1.in_channels for block in module.resnets]
        shapes = [tuple(result.shape[1:]) for result in results]
        print(name, "channels in", joined, "result", shapes[-1])
        #> down 0 channels in [320, 320] result (320, 32, 32)
        #> down 1 channels in [320, 640] result (640, 16, 16)
        #> down 2 channels in [640, 1280] result (1280, 8, 8)
        #> down 3 channels in [1280, 1280] result (1280, 8, 8)
        #> middle channels in [1280, 1280] result (1280, 8, 8)
        #> up 0 channels in [2560, 2560, 2560] result (1280, 16, 16)
        #> up 1 channels in [2560, 2560, 1920] result (1280, 32, 32)
        #> up 2 channels in [1920, 1280, 960] result (640, 64, 64)
        #> up 3 channels in [960, 640, 640] result (320, 64, 64)

    return hook


names = [f"down {i}" for i in range(4)], ["middle"], [f"up {i}" for i in range(4)]
parts = model.down_blocks, [model.mid_block], model.up_blocks
for name, part in zip(sum(names, []), sum(map(list, parts), [])):
    part.register_forward_hook(report(name))

print("predicted noise", tuple(model(latent, 500, prompt).shape))
#> predicted noise (1, 4, 64, 64)

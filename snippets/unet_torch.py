"""Stable Diffusion 1.5's U-Net in torch, on tensors that have shapes and no numbers."""

import torch

from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET
from kb.torch.generation.unet import Level, UNet

with torch.device("meta"):
    model = UNet(STABLE_DIFFUSION_UNET)
    latent, prompt = torch.empty(1, 4, 64, 64), torch.empty(1, 77, 768)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
#> 859,520,964 parameters


def report(name):
    def hook(module, inputs, results):
        channels = [block.conv1.in_channels for block in module.resnets]
        shapes = [tuple(result.shape[1:]) for result in results]
        print(name, channels, "->", shapes[-1])
        #> down_blocks.0 [320, 320] -> (320, 32, 32)
        #> down_blocks.1 [320, 640] -> (640, 16, 16)
        #> down_blocks.2 [640, 1280] -> (1280, 8, 8)
        #> down_blocks.3 [1280, 1280] -> (1280, 8, 8)
        #> mid_block [1280, 1280] -> (1280, 8, 8)
        #> up_blocks.0 [2560, 2560, 2560] -> (1280, 16, 16)
        #> up_blocks.1 [2560, 2560, 1920] -> (1280, 32, 32)
        #> up_blocks.2 [1920, 1280, 960] -> (640, 64, 64)
        #> up_blocks.3 [960, 640, 640] -> (320, 64, 64)

    return hook


for name, part in model.named_modules():
    if isinstance(part, Level):  # the blocks at one size
        part.register_forward_hook(report(name))

print("predicted noise", tuple(model(latent, 500, prompt).shape))
#> predicted noise (1, 4, 64, 64)

"""GPT-3 in torch without memory: on the "meta" device a tensor has a shape only."""

import torch

from kb.architecture.gpt_3 import GPT3, weight_bytes
from kb.torch.architecture.transformer import GPT2

with torch.device("meta"):
    model = GPT2(GPT3)

print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
#> 174,604,259,328 parameters
block = {name: tuple(p.shape) for name, p in model.h[0].named_parameters() if p.ndim == 2}
for name, shape in block.items():
    print(f"{name:20} {shape}")
    #> attn.c_attn.weight   (12288, 36864)
    #> attn.c_proj.weight   (12288, 12288)
    #> mlp.c_fc.weight      (12288, 49152)
    #> mlp.c_proj.weight    (49152, 12288)
print(f"with numbers in it, float16: {weight_bytes(GPT3) / 2**30:.0f} GiB")
#> with numbers in it, float16: 325 GiB

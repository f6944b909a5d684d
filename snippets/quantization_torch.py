"""The same in torch: int4 weights in a layer, and torch's own half-precision types."""

import torch

from kb.torch.architecture.quantization import pack_int4, quantize, quantized_linear, round_to_bf16

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layer = torch.nn.Linear(256, 64).to(device)
x = torch.randn(100, 256).to(device)

codes, scale, zero_point = quantize(layer.weight.detach(), bits=4, per=32)
out = quantized_linear(x, codes, scale, zero_point, layer.bias.detach())
print(f"error {((out - layer(x)).norm() / layer(x).norm()).item():.0%}")
#> error 7%

bytes_of_codes, bytes_of_scales = pack_int4(codes).nbytes, 2 * scale.numel()  # scales in 16 bits
print(layer.weight.nbytes, "bytes become", bytes_of_codes + bytes_of_scales)
#> 65536 bytes become 9216

print(torch.equal(round_to_bf16(x), x.bfloat16().float()), torch.finfo(torch.bfloat16).max)
#> True 3.3895313892515355e+38

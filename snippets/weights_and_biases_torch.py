"""torch's modules hold as many weights and biases as the rule says."""

from torch import nn

from kb.structure.weights_and_biases import (
    count_convolution,
    count_dense,
    count_recurrent,
    count_transformer_block,
)


def held(module):
    """The numbers in a module: (weights, biases)."""
    sizes = [("bias" in name, p.numel()) for name, p in module.named_parameters()]
    return sum(n for bias, n in sizes if not bias), sum(n for bias, n in sizes if bias)


pairs = {
    "dense": (nn.Linear(784, 16), count_dense(784, 16)),
    "convolution": (nn.Conv2d(1, 8, 3), count_convolution(1, 8, 3, 26 * 26)),
    "recurrent": (nn.RNN(8, 16), count_recurrent(8, 16, 100)),
    "block": (nn.TransformerEncoderLayer(768, 12, 3072), count_transformer_block(768, 1)),
    "no bias": (
        nn.TransformerEncoderLayer(768, 12, 3072, bias=False),
        count_transformer_block(768, 1, bias=False),
    ),
}
for name, (module, count) in pairs.items():
    print(name, held(module), (count.weights, count.biases))
    #> dense (12544, 16) (12544, 16)
    #> convolution (72, 8) (72, 8)
    #> recurrent (384, 32) (384, 16)
    #> block (7079424, 8448) (7079424, 8448)
    #> no bias (7079424, 0) (7079424, 0)

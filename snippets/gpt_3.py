"""GPT-3's table from six sizes; what a token costs, and what the weights weigh."""

from kb.architecture.gpt_3 import (
    GPT2_SMALL,
    GPT3,
    flops_per_token,
    left_out,
    training_flops,
    weight_bytes,
    weight_matrices,
)
from kb.architecture.transformer import count_parameters

for name, count in weight_matrices(GPT3).items():
    print(f"{name:15} {count:15,}")
    #> embedding           617,558,016
    #> key              14,495,514,624
    #> query            14,495,514,624
    #> value            14,495,514,624
    #> output           14,495,514,624
    #> up-projection    57,982,058,496
    #> down-projection  57,982,058,496
    #> unembedding         617,558,016
print(f"{'total':15} {sum(weight_matrices(GPT3).values()):15,}")
#> total           175,181,291,520

print({name: f"{count:,}" for name, count in left_out(GPT3).items()})
#> {'positions': '25,165,824', 'biases': '10,616,832', 'norms': '4,743,168'}
# With these, and the embedding used again as unembedding, it is a whole GPT.
for name, config in (("GPT-3", GPT3), ("GPT-2 small", GPT2_SMALL)):
    print(f"{name}: {count_parameters(config):,}")
    #> GPT-3: 174,604,259,328
    #> GPT-2 small: 124,439,808
for name, config in (("GPT-3", GPT3), ("GPT-2 small", GPT2_SMALL)):
    gigabytes, operations = weight_bytes(config) / 1e9, flops_per_token(config) / 1e9
    print(f"{name}: {gigabytes:.2f} GB in float16, {operations:.2f} billion FLOPs a token")
    #> GPT-3: 349.21 GB in float16, 349.13 billion FLOPs a token
    #> GPT-2 small: 0.25 GB in float16, 0.25 billion FLOPs a token

print(f"looking at 2048 positions: {flops_per_token(GPT3, 2048) / 1e9:.0f} billion")
#> looking at 2048 positions: 359 billion
print(f"300 billion tokens of training: {training_flops(GPT3, 300e9):.2e}")
#> 300 billion tokens of training: 3.14e+23

"""GPT-3's table, line by line, from six sizes; then what a token costs, and what the weights weigh."""

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
# With these, and with the embedding used again as unembedding, it is the model that the transformer page builds.
print(f"{count_parameters(GPT3):,} parameters; GPT-2 small: {count_parameters(GPT2_SMALL):,}")
#> 174,604,259,328 parameters; GPT-2 small: 124,439,808

print(f"a token: {flops_per_token(GPT3) / 1e9:.0f} billion operations", end=", ")
#> a token: 349 billion operations
print(f"with 2048 positions to look at {flops_per_token(GPT3, 2048) / 1e9:.0f} billion")
#> with 2048 positions to look at 359 billion
print(f"training on 300 billion tokens: {training_flops(GPT3, 300e9):.2e} operations")
#> training on 300 billion tokens: 3.14e+23 operations
print(f"weights in float16: {weight_bytes(GPT3) / 1e9:.0f} GB; GPT-2 small: {weight_bytes(GPT2_SMALL) / 1e9:.2f} GB")
#> weights in float16: 349 GB; GPT-2 small: 0.25 GB

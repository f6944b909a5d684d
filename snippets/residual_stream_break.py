"""Take out the block whose share of the logits is 0: the answer changes."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention as attention
from kb.architecture.residual_stream import direct_logit_attribution, written

words = np.array(["the", "grey", "cat", "saw", "dog"])
text = [0, 1, 2, 3, 0, 1]  # the grey cat saw the grey
this, before, coming, place = np.split(np.eye(21), [5, 10, 15])
blocks = {
    "look back": lambda x: (
        attention(x @ place.T @ np.eye(6, k=-1), x @ place.T, x @ this.T, is_causal=True, scale=30.0) @ before
    ),
    "copy": lambda x: 4 * attention(x @ this.T, x @ before.T, x @ this.T, is_causal=True, scale=30.0) @ coming,
    "habit": lambda x: 2.5 * (x @ this[1])[:, None] * coming[4],
}

for left_out in ("nothing", "look back"):
    used = {name: block for name, block in blocks.items() if name != left_out}
    shares = direct_logit_attribution(written(this[text] + place, used)[:, -1], coming - this)
    cat = [f"{name} {share + 0:.2f}" for name, share in zip(["embedding", *used], shares[:, 2], strict=True)]
    print(f"without {left_out}: {words[shares.sum(axis=0).argmax()]}. Shares of cat:", ", ".join(cat))
    #> without nothing: cat. Shares of cat: embedding 0.00, look back 0.00, copy 4.00, habit 0.00
    #> without look back: dog. Shares of cat: embedding 0.00, copy 0.67, habit 0.00

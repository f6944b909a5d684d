"""Take out the block whose share of the logits is 0: the answer changes."""

from functools import partial

import numpy as np

from kb.architecture import residual_stream as rs
from kb.architecture.attention import scaled_dot_product_attention

words = np.array(["the", "grey", "cat", "saw", "dog"])
text = [0, 1, 2, 3, 0, 1]  # the grey cat saw the grey
this, before, coming, place = np.split(np.eye(21), [5, 10, 15])
look = partial(scaled_dot_product_attention, is_causal=True, scale=30.0)
blocks = {
    "look back": lambda x: look(x @ place.T @ np.eye(6, k=-1), x @ place.T, x @ this.T) @ before,
    "copy": lambda x: 4 * look(x @ this.T, x @ before.T, x @ this.T) @ coming,
    "habit": lambda x: 2.5 * (x @ this[1])[:, None] * coming[4],
}

for left_out in ("nothing", "look back"):
    used = {name: block for name, block in blocks.items() if name != left_out}
    parts = rs.written(this[text] + place, used)[:, -1]
    shares = rs.direct_logit_attribution(parts, coming - this)
    cat = dict(zip(["embedding", *used], shares[:, 2].round(2).tolist(), strict=True))
    print(f"without {left_out}: {words[shares.sum(axis=0).argmax()]}", {k: v + 0 for k, v in cat.items()})
    #> without nothing: cat {'embedding': 0.0, 'look back': 0.0, 'copy': 4.0, 'habit': 0.0}
    #> without look back: dog {'embedding': 0.0, 'copy': 0.67, 'habit': 0.0}

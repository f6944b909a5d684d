"""Words read words, then the places of an image read the words: two layers that differ in where K and V come from."""

import numpy as np

from kb.architecture.self_attention_vs_cross_attention import cross_attention, cross_attention_maps, self_attention

rng = np.random.default_rng(0)


def matrix(*shape):
    return rng.standard_normal(shape) / np.sqrt(shape[-1])


words = rng.standard_normal((7, 32))  # 7 words, width 32
places = rng.standard_normal((20, 16))  # 20 places of an image, width 16

w_in, w_o = matrix(96, 32), matrix(32, 32)
text = self_attention(words, w_in, None, w_o, None, num_heads=4, is_causal=True)
print("text ", text.shape)
#> text  (7, 32)

w_q, w_k, w_v, w_out, bias = matrix(32, 16), matrix(32, 32), matrix(32, 32), matrix(16, 32), np.zeros(16)
image = cross_attention(places, text, w_q, w_k, w_v, w_out, bias, num_heads=4)
maps = cross_attention_maps(places, text, w_q, w_k, num_heads=4)
print("image", image.shape, "maps", maps.shape)
#> image (20, 16) maps (4, 20, 7)

# Change one thing and see who notices.
other_places, other_text = places.copy(), text.copy()
other_places[3] += 1
other_text[6] += 1
for what, again in (
    ("place 3", cross_attention(other_places, text, w_q, w_k, w_v, w_out, bias, 4)),
    ("word 6", cross_attention(places, other_text, w_q, w_k, w_v, w_out, bias, 4)),
):
    print(what, "changed: other results at", np.any(again != image, axis=-1).sum(), "of 20 places")
    #> place 3 changed: other results at 1 of 20 places
    #> word 6 changed: other results at 20 of 20 places

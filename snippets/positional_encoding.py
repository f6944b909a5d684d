"""Attention without positions cannot tell "dog bites man" from "man bites dog"; three ways to tell it."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.positional_encoding import add_positions, rope, score_by_distance, sinusoidal_positions

rng = np.random.default_rng(0)
dog, bites, man = words = rng.standard_normal((3, 8))
learned = rng.standard_normal((16, 8))  # a table of 16 positions, as training might leave it
ways = {
    "nothing": lambda x: (x, x, x),
    "sinusoidal": lambda x: (add_positions(x, sinusoidal_positions(16, 8)),) * 3,
    "learned": lambda x: (add_positions(x, learned),) * 3,
    "rotary": lambda x: (rope(x, np.arange(3)), rope(x, np.arange(3)), x),
}
for name, way in ways.items():
    one = scaled_dot_product_attention(*way(np.stack([dog, bites, man])))
    two = scaled_dot_product_attention(*way(np.stack([man, bites, dog])))
    print(f"{name:10} what the dog becomes differs by {np.abs(one[0] - two[2]).max():.3f}")
    #> nothing    what the dog becomes differs by 0.000
    #> sinusoidal what the dog becomes differs by 0.747
    #> learned    what the dog becomes differs by 2.657
    #> rotary     what the dog becomes differs by 0.130

# Rotary: whatever the two words are, their score depends on how far apart they stand, not on where.
print(score_by_distance(dog, man, np.array([0, 1, 2, 3])).round(3))
'''
[[0.375 0.648 0.678 0.445]
 [0.096 0.375 0.648 0.678]
 [0.05  0.096 0.375 0.648]
 [0.256 0.05  0.096 0.375]]
'''

# Each pair of entries is the hand of a clock. How many positions once round, for a head of 128?
turns = 2 * np.pi * 10000 ** (np.arange(0, 128, 2) / 128)
print(turns[[0, 16, 32, 63]].round().astype(int))
#> [    6    63   628 54410]

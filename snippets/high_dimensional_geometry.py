"""A ball in n dimensions: its volume, its peel, and the angle between two random directions."""

import numpy as np

from kb.foundations.high_dimensional_geometry import (
    ball_volume,
    cosine_statistics,
    log_ball_volume,
    random_directions,
    shell_fraction,
)

print([round(ball_volume(n), 2) for n in range(1, 10)])
#> [2.0, 3.14, 4.19, 4.93, 5.26, 5.17, 4.72, 4.06, 3.3]
print(round(ball_volume(5), 4), round(8 * np.pi**2 / 15, 4))
#> 5.2638 5.2638

# In 13,002 dimensions the volume is no float any more; its logarithm is.
print(ball_volume(13_002), f"10^{log_ball_volume(13_002) / np.log(10):.0f}")
#> 0.0 10^-18735

# A peel of a tenth of the radius, and one of a thousandth.
print(shell_fraction(np.array([3, 10, 100]), 0.1).round(5))
#> [0.271   0.65132 0.99997]
print(f"{1 - shell_fraction(13_002, 0.001):.2e} is left inside")
#> 2.24e-06 is left inside

# Random directions: the cosine has mean 0 and standard deviation 1 / sqrt(n).
rng = np.random.default_rng(0)
for_three = cosine_statistics(*rng.standard_normal((2, 10_000, 3)))
for_many = cosine_statistics(*rng.standard_normal((2, 500, 13_002)))
print(np.round(for_three, 3), round(1 / np.sqrt(3), 3))
#> [-0.013  0.575] 0.577
print(np.round(for_many, 5), round(1 / np.sqrt(13_002), 5))
#> [-0.00051  0.00834] 0.00877

# All of them are about sqrt(2) apart, whatever pair you take.
directions = random_directions(rng.standard_normal((100, 13_002)))
between = np.sqrt(2 - 2 * (directions @ directions.T)[np.triu_indices(100, k=1)])
print(between.min().round(3), between.max().round(3))
#> 1.39 1.436

"""A thousand points in 10,000 dimensions, moved to a few hundred by random directions; and directions that crowd."""

import numpy as np

from kb.architecture.johnson_lindenstrauss import (
    distance_ratios,
    jl_dimension,
    jl_failure_bound,
    largest_cosine,
    random_projection,
    room,
    spread_step,
    welch_bound,
)
from kb.foundations.high_dimensional_geometry import random_directions

# The bound asks for the number of points only, not for their dimensions.
print({eps: jl_dimension(1000, eps) for eps in (0.5, 0.2, 0.1)})
#> {0.5: 332, 0.2: 1595, 0.1: 5921}

# Points in 10,000 dimensions, and 332 random directions to look along.
rng = np.random.default_rng(0)
x = rng.uniform(size=(1000, 10_000)).astype(np.float32)
y = random_projection(x, rng.standard_normal((10_000, 332), dtype=np.float32))
ratios = distance_ratios(x, y)
print(y.shape, f"{len(ratios):,} pairs, ratios {ratios.min():.2f} to {ratios.max():.2f}")
#> (1000, 332) 499,500 pairs, ratios 0.70 to 1.42
for k in (332, 664):
    print(f"{k} dimensions: misses 1 +- 0.5 with a chance of at most {jl_failure_bound(1000, k, 0.5):.2g}")
    #> 332 dimensions: misses 1 +- 0.5 with a chance of at most 0.98
    #> 664 dimensions: misses 1 +- 0.5 with a chance of at most 9.6e-07

# 60 directions in 5 dimensions push each other apart. There is a limit that no arrangement beats.
v = random_directions(rng.standard_normal((60, 5)))
at_random = largest_cosine(v)
for i in range(500):
    v = spread_step(v, sharpness=20 + i, lr=0.1 * (1 - i / 500))
print(f"largest |cos| {at_random:.2f} at random, {largest_cosine(v):.2f} now, at least {welch_bound(60, 5):.2f}")
#> largest |cos| 0.98 at random, 0.74 now, at least 0.43

# How many directions fit for certain, if 60 degrees are enough.
print({d: f"{room(d, np.cos(np.radians(60))):.2g}" for d in (50, 100, 200, 400)})
#> {50: '2.6e+02', 100: '1.3e+05', 200: '3.6e+10', 400: '2.6e+21'}

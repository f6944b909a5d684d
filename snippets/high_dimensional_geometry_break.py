"""Drawing a point of the ball the naive way: draw from the cube around it, and keep the point if it is inside."""

import numpy as np

from kb.foundations.high_dimensional_geometry import ball_volume, random_directions

rng = np.random.default_rng(0)


def kept(n, draws=100_000):
    points = rng.uniform(-1, 1, (draws, n))
    return int(((points * points).sum(-1) <= 1).sum())


print({n: kept(n) for n in (2, 5, 10, 20)}, "of 100,000 draws")
#> {2: 78678, 5: 16165, 10: 230, 20: 0} of 100,000 draws
print(f"draws for one point at n = 20: {2**20 / ball_volume(20):,.0f}")
#> draws for one point at n = 20: 40,631,628

# Normal noise has no favourite direction, and a length of u^(1/n) spreads the points evenly over the volume.
inside = random_directions(rng.standard_normal((100_000, 20))) * rng.uniform(size=(100_000, 1)) ** (1 / 20)
lengths = np.sqrt((inside * inside).sum(-1))
print(f"at n = 20, {np.mean(lengths > 0.9):.3f} of them are in the outer tenth; {1 - 0.9**20:.3f} should be")
#> at n = 20, 0.877 of them are in the outer tenth; 0.878 should be

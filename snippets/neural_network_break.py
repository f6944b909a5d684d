"""The learning taken away: rules about holes and about where the ink lies."""

import numpy as np

from kb.data.digits import load_digits, split


def holes(ink):
    """The mean rows of the patches of paper that are closed in by ink."""
    left, rows = np.pad(~ink, 1, constant_values=True), []
    while left.any():
        patch = np.zeros_like(left)
        patch[tuple(np.argwhere(left)[0])] = True
        for _ in range(60):  # let it grow over the paper
            moved = [np.roll(patch, step, axis) for axis in (0, 1) for step in (-1, 1)]
            patch = left & np.any([patch, *moved], axis=0)
        left &= ~patch
        rows += [np.argwhere(patch)[:, 0].mean()] if not patch[0, 0] and patch.sum() > 3 else []
    return rows


def rules(image):
    ink = image > 0.5
    if found := holes(ink):
        one = 9 if found[0] < 12 else 6 if found[0] > 17 else 0
        return 8 if len(found) > 1 else one
    if np.ptp(np.nonzero(ink)[1]) < 12:  # narrow
        return 1
    foot = ink[23:].sum() > ink[:5].sum()
    halves = ink[4:14], ink[14:24]  # is there more ink on the right?
    upper, lower = (half[:, 14:].sum() > half[:, :14].sum() for half in halves)
    return (3 if lower else 2 if foot else 7) if upper else (5 if lower else 4)


held_out = split(load_digits(28))[1]
read = np.array([rules(image) for image in held_out.images])
print(f"{np.mean(read == held_out.labels):.0%} read rightly")
#> 53% read rightly
print([f"{digit}: {np.mean(read[held_out.labels == digit] == digit):.0%}" for digit in (3, 8)])
#> ['3: 95%', '8: 23%']

"""A walk downhill: one rule, three learning rates, three valleys, and a saddle point."""

import numpy as np

from kb.learning.gradient_descent import (
    descend,
    hessian,
    hills,
    hills_gradient,
    kind_of_point,
    largest_stable_lr,
    product_fit_gradient,
    quadratic_gradient,
    step_factors,
)

# A bowl with the curvatures 10 and 1. After 50 steps, how far is the walk from the bottom? It started at 1.
bowl = np.diag([10.0, 1.0])
print("largest stable learning rate:", largest_stable_lr(bowl))
#> largest stable learning rate: 0.2
for lr in (0.01, 2 / 11, 0.199, 0.201):
    path = descend(lambda x: quadratic_gradient(x, bowl), np.array([0.8, 0.6]), lr, 50)
    print(f"{lr:.3f}  factors {step_factors(bowl, lr).round(3)}  distance {np.linalg.norm(path[-1]):.5f}")
    #> 0.010  factors [0.9  0.99]  distance 0.36303
    #> 0.182  factors [-0.818  0.818]  distance 0.00004
    #> 0.199  factors [-0.99   0.801]  distance 0.48400
    #> 0.201  factors [-1.01   0.799]  distance 1.31571

# Hills and valleys: the same rule, three starts, three ends.
for start in ((-0.4, 1.7), (0.9, 1.75), (2.7, 0.3)):
    end = descend(hills_gradient, np.array(start), 0.3, 100)[-1]
    print(start, "->", end.round(2) + 0.0, "height", hills(end).round(3), kind_of_point(hessian(hills_gradient, end)))
    #> (-0.4, 1.7) -> [-1.43  0.  ] height -0.888 minimum
    #> (0.9, 1.75) -> [1.42 2.85] height -0.44 minimum
    #> (2.7, 0.3) -> [4.27 0.  ] height 0.008 minimum

# A ridge that leads into a saddle point, and the same walk a billionth beside it.
for beside in (0.0, 1e-9):
    path = descend(product_fit_gradient, np.array([1.0, -1.0 + beside]), 0.05, 400)
    print(path[100].round(3) + 0.0, path[-1].round(3) + 0.0, kind_of_point(hessian(product_fit_gradient, path[-1])))
    #> [0. 0.] [0. 0.] saddle point
    #> [0. 0.] [1. 1.] flat

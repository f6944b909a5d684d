"""A handwritten 4 on its way through 784-16-16-10: every number that the network computes, and what that costs."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward, forward_all, forward_bytes, forward_flops

params, held_out = digits_mlp(), split(load_digits(28))[1]
x, digit = held_out.images[3].reshape(784), held_out.labels[3]

record = forward_all(params, x, sigmoid)
for name in ("a1", "a2", "a3"):
    print(name, "in percent:", *(f"{100 * a:.0f}" for a in record[name]))
    #> a1 in percent: 12 77 97 97 0 96 100 91 0 99 0 3 100 99 93 100
    #> a2 in percent: 98 55 97 100 11 10 28 100 90 70 1 2 2 47 4 95
    #> a3 in percent: 3 1 0 0 98 0 1 0 0 0
print("it is a", digit, "and the network says", record["a3"].argmax())
#> it is a 4 and the network says 4

# Nothing but three matrix products, three sums and three sigmoids, one inside the other.
w1, b1, w2, b2, w3, b3 = (params[f"{layer}.{part}"] for layer in (0, 2, 4) for part in ("weight", "bias"))
by_hand = sigmoid(w3 @ sigmoid(w2 @ sigmoid(w1 @ x + b1) + b2) + b3)
print(np.allclose(by_hand, forward(params, x, sigmoid), rtol=1e-5))
#> True

# What stays is learned; what is computed anew for each image is not kept.
kept, anew = sum(p.size for p in params.values()), sum(record[k].size for k in record if k != "a0")
print(f"{kept:,} parameters stay, {anew} numbers are computed anew")
#> 13,002 parameters stay, 84 numbers are computed anew
for batch in (1, 100):
    work, moved = forward_flops(784, 16, 16, 10, batch=batch), forward_bytes(784, 16, 16, 10, batch=batch)
    print(f"batch {batch:3}: {work:9,} operations, {moved:7,} bytes, {work / moved:.2f} operations per byte")
    #> batch   1:    25,920 operations,  55,312 bytes, 0.47 operations per byte
    #> batch 100: 2,592,000 operations, 382,408 bytes, 6.78 operations per byte

"""Six logits: what a difference means, a constant, and one token against the rest."""

import numpy as np

from kb.architecture.logits import centre, log_odds
from kb.foundations.softmax import softmax

tokens = ["mat", "sofa", "dog", "ran", "green", "the"]
logits = np.array([4.72, 3.20, 0.72, -2.44, -2.84, -0.08])
p = softmax(logits)

# A difference of two logits: the logarithm of how many times likelier the one is.
ratio = p[0] / p[1]
print((logits[0] - logits[1]).round(3), np.log(ratio).round(3), ratio.round(2))
#> 1.52 1.52 4.57

# A constant changes nothing, so centred logits are the same for both.
print(np.allclose(softmax(logits + 100), p))
#> True
print(np.allclose(centre(logits + 100), centre(logits)))
#> True

# Each against all others together.
for token, odds, share in zip(tokens, log_odds(logits), p, strict=True):
    print(f"{token:5} log-odds {odds:5.2f}  probability {share:.4f}")
    #> mat   log-odds  1.40  probability 0.8022
    #> sofa  log-odds -1.55  probability 0.1755
    #> dog   log-odds -4.21  probability 0.0147
    #> ran   log-odds -7.38  probability 0.0006
    #> green log-odds -7.78  probability 0.0004
    #> the   log-odds -5.01  probability 0.0066

# Raising one logit by 1 raises that token's log-odds by 1.
raised = logits + np.array([0, 1.0, 0, 0, 0, 0])
print((log_odds(raised) - log_odds(logits)).round(3))
#> [-0.926  1.    -0.267 -0.264 -0.264 -0.265]
print(softmax(raised).round(3))
#> [0.616 0.366 0.011 0.    0.    0.005]

# A token whose logit is -inf is forbidden; the others keep their ratios.
print(softmax(np.where(np.array(tokens) == "mat", -np.inf, logits)).round(3))
#> [0.    0.887 0.074 0.003 0.002 0.033]

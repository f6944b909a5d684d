"""A walk back in which a node passes its gradient on as soon as it is reached, instead of when it is complete."""

from kb.learning.computation_graph import Value, gradients


def hasty(root):
    found, waiting = {root: 1.0}, [root]
    while waiting:
        value = waiting.pop()
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            if parent not in found:
                waiting.append(parent)
            found[parent] = found.get(parent, 0.0) + found[value] * slope
    return found


def f(a):
    c = a - 3.0
    return c * c + c  # c is one step from the result, and also two


a = Value(2.0)
y = f(a)
print("nudged:           ", round((f(2.0 + 1e-6) - f(2.0 - 1e-6)) / 2e-6, 6))
#> nudged:            -1.0
print("in the right order:", gradients(y)[a])
#> in the right order: -1.0
print("as soon as reached:", hasty(y)[a])
#> as soon as reached: 1.0

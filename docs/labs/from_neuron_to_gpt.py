# %% [markdown]
# # Build a GPT from a neuron
#
# One script, from a weighted sum to a model that writes. Every step uses the code of the steps before it, and nothing
# else but NumPy and the [[computation_graph|graph]] that differentiates it. At the end the model is compared, number by
# number, with the [[transformer|transformer]] of this site.

# %%
import matplotlib.pyplot as plt
import numpy as np

from kb.architecture.transformer import GPTConfig, gpt
from kb.autograd.tensor import value_and_grad
from kb.data.tales import tales

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. A neuron
#
# A weighted sum and a bias: see [[neuron]].


# %%
def neuron(x, weight, bias):
    """x (n), weight (n), bias () -> ()"""
    return x @ weight + bias


x = np.array([1.0, 2.0, 3.0])
print(neuron(x, np.array([0.5, -1.0, 1.0]), 0.1))

# %% [markdown]
# ## 2. A layer
#
# Many neurons that read the same inputs: see [[layers]]. Their weights stand side by side as the columns of a
# matrix, as in GPT-2's files.


# %%
def layer(x, weight, bias):
    """x (..., n), weight (n, m), bias (m) -> (..., m)"""
    return x @ weight + bias


weight, bias = rng.normal(size=(3, 4)), rng.normal(size=4)
print([round(float(neuron(x, weight[:, j], bias[j])), 3) for j in range(4)])
print(layer(x, weight, bias).round(3))

# %% [markdown]
# ## 3. Two layers with a bend between them
#
# Without the bend, two layers would be one: see [[nonlinearity]].


# %%
def mlp(x, up, down):
    """x (..., n) -> (..., n) by way of more neurons that are silent below 0."""
    return layer(np.maximum(layer(x, **up), 0), **down)


# %% [markdown]
# ## 4. From scores to shares, and a cost
#
# [[softmax]] makes shares of any scores. The [[cost_function|cost]] is the surprise at what really came.


# %%
def softmax(z):
    """z (..., n) -> (..., n), positive and with the sum 1."""
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def cost(scores, targets):
    """The mean of -log p of each right answer. scores (..., n), targets (...)"""
    shares = softmax(scores)
    right = np.take_along_axis(shares, targets[..., None], axis=-1)
    return -np.mean(np.log(right))


print(softmax(np.array([2.0, 1.0, 0.1])).round(3))

# %% [markdown]
# ## 5. Learning
#
# The graph gives the gradient of any of these functions; each weight steps against its own part of it, at a pace of
# its own: Adam, see [[optimizers]].


# %%
def learn(params, cost_of, batches, lr):
    """The trained params, and the cost of each step."""
    mean = {name: np.zeros_like(p) for name, p in params.items()}
    square = {name: np.zeros_like(p) for name, p in params.items()}
    gradient, costs = value_and_grad(cost_of), []
    for t, batch in enumerate(batches, 1):
        value, grads = gradient(params, *batch)
        mean = {name: 0.9 * mean[name] + 0.1 * g for name, g in grads.items()}
        square = {name: 0.99 * square[name] + 0.01 * g * g for name, g in grads.items()}
        scale = lr * (1 - t / len(batches)) * np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
        steps = {name: scale * mean[name] / (np.sqrt(square[name]) + 1e-8) for name in params}
        params = {name: (p - steps[name]).astype(p.dtype) for name, p in params.items()}
        costs.append(float(value))
    return params, costs


# %% [markdown]
# ## 6. Letters as vectors, and the smallest language model
#
# The text is made of little stories from a grammar of ours. Every letter gets a row of a table: see
# [[token_embedding]].
# The next letter is guessed from the last one alone: its vector is scored against the rows of the same table, by way
# of an [[mlp_block|MLP block]].

# %%
text = tales(60_000, seed=0)
letters = sorted(set(text))
ids = np.array([letters.index(letter) for letter in text])
print(text[:160])
print(f"{len(text):,} characters, {len(letters)} different ones; a guess costs {np.log(len(letters)):.2f}")

WIDTH, LENGTH = 48, 64


def random_layer(name, n, m):
    return {f"{name}.weight": rng.normal(0, 0.02, (n, m)), f"{name}.bias": np.zeros(m)}


def part(params, name):
    """The weights whose names begin with `name.`, without it."""
    return {key[len(name) + 1 :]: p for key, p in params.items() if key.startswith(name + ".")}


def last_letter_only(params, ids):
    x = params["wte.weight"][ids]
    x = x + mlp(x, part(params, "c_fc"), part(params, "c_proj"))
    return x @ params["wte.weight"].T


def batches(steps, size=16):
    """Windows of the text, and the same windows one letter on."""
    for start in rng.integers(0, len(ids) - LENGTH - 1, (steps, size)):
        window = ids[start[:, None] + np.arange(LENGTH + 1)]
        yield window[:, :-1], window[:, 1:]


def cost_of(model):
    return lambda params, x, targets: cost(model(params, x), targets)


small = {"wte.weight": rng.normal(0, 0.1, (len(letters), WIDTH))}
small |= random_layer("c_fc", WIDTH, 4 * WIDTH) | random_layer("c_proj", 4 * WIDTH, WIDTH)
small = {name: p.astype(np.float32) for name, p in small.items()}
small, costs_small = learn(small, cost_of(last_letter_only), list(batches(120)), lr=0.01)
print(f"cost {costs_small[0]:.2f} -> {np.mean(costs_small[-20:]):.2f}")

# %% [markdown]
# ## 7. It writes
#
# Draw a letter from the shares, append it, run again: see [[sampling]].


# %%
def write(model, params, prompt, count, temperature=0.7):
    written = [letters.index(letter) for letter in prompt]
    for _ in range(count):
        scores = model(params, np.array(written[-LENGTH:]))[-1]
        written.append(int(rng.choice(len(letters), p=softmax(scores.astype(float) / temperature))))
    return "".join(letters[i] for i in written)


print(write(last_letter_only, small, "One ", 120))

# %% [markdown]
# One letter of memory gives pairs of letters, and no words.
#
# ## 8. Attention
#
# Every position asks all earlier ones (and itself) and takes a weighted mean of what they offer: see [[attention]].
# Queries, keys and values are layers; the weights are a softmax. Several heads do it at once, each in its own part
# of the vector: see [[multi_head_attention]].


# %%
def attention(x, c_attn, c_proj, heads=4):
    """x (..., t, d) -> (..., t, d)"""
    t, d = x.shape[-2:]
    split = np.reshape(layer(x, **c_attn), (*x.shape[:-1], 3, heads, d // heads))  # (..., t, 3, h, d/h)
    q, k, v = (np.swapaxes(split[..., i, :, :], -2, -3) for i in range(3))  # (..., h, t, d/h)
    scores = q @ np.swapaxes(k, -1, -2) / (d // heads) ** 0.5
    later = np.triu(np.ones((t, t), bool), 1)
    mixed = softmax(np.where(later, -np.inf, scores)) @ v
    return layer(np.reshape(np.swapaxes(mixed, -2, -3), x.shape), **c_proj)


# %% [markdown]
# ## 9. A block
#
# Attention adds to the vector, then the MLP does, each after a normalisation: see [[layer_normalization]] and
# [[residual_stream]].


# %%
def norm(x, weight, bias):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * weight + bias


def block(x, params):
    c_attn, c_proj = part(params, "attn.c_attn"), part(params, "attn.c_proj")
    x = x + attention(norm(x, **part(params, "ln_1")), c_attn, c_proj)
    return x + mlp(norm(x, **part(params, "ln_2")), part(params, "mlp.c_fc"), part(params, "mlp.c_proj"))


# %% [markdown]
# ## 10. A GPT
#
# Letters and their places as vectors, a stack of blocks, and the table once more to score the next letter.

# %%
DEPTH = 2


def small_gpt(params, ids):
    """ids (..., t) -> the scores of the letter that follows each (..., t, v)"""
    x = params["wte.weight"][ids] + params["wpe.weight"][: ids.shape[-1]]
    for i in range(DEPTH):
        x = block(x, part(params, f"h.{i}"))
    return norm(x, **part(params, "ln_f")) @ params["wte.weight"].T


def new_norm(name):
    return {f"{name}.weight": np.ones(WIDTH), f"{name}.bias": np.zeros(WIDTH)}


params = {"wte.weight": rng.normal(0, 0.1, (len(letters), WIDTH)), "wpe.weight": rng.normal(0, 0.02, (LENGTH, WIDTH))}
for i in range(DEPTH):
    params |= new_norm(f"h.{i}.ln_1") | new_norm(f"h.{i}.ln_2")
    params |= random_layer(f"h.{i}.attn.c_attn", WIDTH, 3 * WIDTH) | random_layer(f"h.{i}.attn.c_proj", WIDTH, WIDTH)
    params |= random_layer(f"h.{i}.mlp.c_fc", WIDTH, 4 * WIDTH) | random_layer(f"h.{i}.mlp.c_proj", 4 * WIDTH, WIDTH)
params |= new_norm("ln_f")
params = {name: p.astype(np.float32) for name, p in params.items()}
print(f"{sum(p.size for p in params.values()):,} weights")
params, costs = learn(params, cost_of(small_gpt), list(batches(400)), lr=0.006)
print(f"cost {costs[0]:.2f} -> {np.mean(costs[-20:]):.2f}")

# %%
# Two falling curves: the cost of the model that sees one letter levels off early,
# that of the small GPT goes on falling below it.
plt.plot(costs_small)
plt.plot(costs)
plt.text(len(costs_small), costs_small[-1], " last letter only", va="center")
plt.text(len(costs), costs[-1], " GPT", va="center")
plt.xlabel("step")
plt.ylabel("cost")
plt.show()

# %%
print(write(small_gpt, params, "One ", 240, temperature=0.5))

# %% [markdown]
# Words, and the shape of sentences, after seconds of training on one processor. What is missing is size and time, no
# idea.
#
# ## The same numbers from the library
#
# The names of the weights are GPT-2's. So the model of this site, which loads GPT-2 itself, runs them too.

# %%
config = GPTConfig(len(letters), LENGTH, WIDTH, DEPTH, 4, activation_function="relu")
ours, theirs = small_gpt(params, ids[:LENGTH]), gpt(params, ids[:LENGTH], config)
print(f"largest difference below 1e-4: {bool(np.max(np.abs(ours - theirs)) < 1e-4)}")

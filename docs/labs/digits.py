# %% [markdown]
# # Train the digit network
#
# You train the [[neural_network|network of 13,002 numbers]] from nothing, watch it learn, look at its worst mistakes
# and into its first layer, show it noise, and at last make images that fool it. Everything is NumPy. It takes a few
# seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from kb.autograd.tensor import grad
from kb.data.digits import load_digits, resize, split
from kb.learning import cost_function
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import count_parameters, init_mlp, mlp

# %% [markdown]
# ## The data
#
# 1,797 digits by 13 people, recorded with 8 × 8 pixels and enlarged to 28 × 28. A fifth of them is put aside: the
# network will never be trained on these, so they can tell how well it reads digits that it has not seen.

# %%
# Sixteen handwritten digits of 28 by 28 blurred pixels, dark on white,
# each with its label above it.
training, held_out = split(load_digits(28))
x, labels = training.images.reshape(-1, 784), training.labels
x_new, labels_new = held_out.images.reshape(-1, 784), held_out.labels
print(f"{len(x):,} digits to train on, {len(x_new)} held out")


def show(images, titles, rows=1):
    """Images of 784 pixels in rows, each with a title."""
    size = 5.6, 6.8 * rows * rows / len(images)
    _, axes = plt.subplots(rows, len(images) // rows, figsize=size)
    for ax, image, title in zip(axes.flat, images, titles, strict=True):
        ax.imshow(image.reshape(28, 28), "gray_r", interpolation="none")
        ax.set_title(title)
        ax.axis("off")
    plt.show()


show(x[:16], labels[:16], rows=2)

# %% [markdown]
# ## The network before it has learned anything
#
# Three layers of weights and biases, filled with random numbers. Of the wanted outputs, one is 1 and nine are 0.

# %%
rng = np.random.default_rng(0)
params = init_mlp((784, 16, 16, 10), rng)
one_hot = np.eye(10, dtype=np.float32)
y, y_new = one_hot[labels], one_hot[labels_new]


def accuracy(params, x, labels):
    """The share of images whose highest output is the right one."""
    return np.mean(mlp(params, x).argmax(axis=1) == labels)


def cost(params, x, y):
    """The squared error of the ten outputs, averaged over the images."""
    return cost_function.cost(mlp(params, x), y)


print(f"{count_parameters(784, 16, 16, 10):,} numbers")
print(f"{accuracy(params, x_new, labels_new):.1%} right")

# %% [markdown]
# ## Training
#
# [[stochastic_gradient_descent|Mini-batches]] of 32 digits, [[backpropagation|backpropagation]] for the gradient of the
# [[cost_function|squared error]], a step downhill, 45 times per pass over the data. After every fifth pass we stop and
# look.

# %%
# Two panels against the passes over the data. Left, the cost falls on a
# logarithmic axis, for the training digits much further than for the
# held-out ones. Right, the share read rightly climbs steeply, then levels
# off near 1 for the training digits and near 0.96 for the held-out ones.
passes, costs, shares = [], [], []
for passed in range(0, 155, 5):
    if passed > 0:
        params, _ = train(squared_error_gradients, params, x, y, 0.5, 5, 32, rng)
    passes.append(passed)
    costs.append((cost(params, x, y), cost(params, x_new, y_new)))
    seen, new = accuracy(params, x, labels), accuracy(params, x_new, labels_new)
    shares.append((seen, new))
    if passed in (5, 10, 20, 50, 100, 150):
        print(f"{passed:4} passes: {seen:.1%} of what it trains on, {new:.1%}")

fig, (left, right) = plt.subplots(1, 2, figsize=(5.6, 2.4))
left.semilogy(passes, costs)
right.plot(passes, shares)
left.set(xlabel="passes over the data", title="cost")
right.set(xlabel="passes over the data", title="share right")
right.legend(["training", "held out"], frameon=False)
plt.show()

# %% [markdown]
# The two lines part: the network goes on getting better at digits it has seen, and hardly better at others. That is
# [[generalization|overfitting]], and the reason why the held-out digits are never trained on.
#
# ## Which digits does it confuse?

# %%
# A table of 10 by 10 counts as shaded squares, true digits down and
# answers across. The diagonal is dark, with 33 to 36 digits in each
# square; beside it only a few squares hold 1, 2 or 3.
answers = mlp(params, x_new).argmax(axis=1)
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (labels_new, answers), 1)

fig, ax = plt.subplots(figsize=(5.6, 4))
ax.imshow(confusion, "Greens", vmax=60)
for i, j in np.argwhere(confusion):
    ax.text(j, i, confusion[i, j], ha="center", va="center", color="black")
ax.set(xlabel="what it says", ylabel="what it is")
ax.set(xticks=range(10), yticks=range(10))
plt.show()

# %% [markdown]
# ## Its worst mistakes
#
# Those held-out digits whose ten outputs are furthest from what they should be.

# %%
# Eight blurred digits that are hard to read, each with the true digit,
# the network's answer and the output for it.
errors = cost_function.squared_error(mlp(params, x_new), y_new)
worst = np.argsort(-errors)[:8]
titles = []
for i, a in zip(worst, mlp(params, x_new[worst]), strict=True):
    titles.append(f"{labels_new[i]}, says {a.argmax()}: {a.max():.2f}")
show(x_new[worst], titles, rows=2)

# %% [markdown]
# ## Inside: the first layer
#
# Each of the 16 neurons of the first hidden layer has one weight per pixel, so its weights are a picture. One might
# hope for edges. What is really there, and why, is told on the page on
# [[representation_learning|hoped-for and actual features]].

# %%
# Sixteen square pictures of weights, red and blue blotches on white: no
# edges, no strokes, no loops.
fig, axes = plt.subplots(2, 8, figsize=(5.6, 1.6))
for ax, weight in zip(axes.flat, params["0.weight"], strict=True):
    picture = weight.reshape(28, 28).round(1)
    ax.imshow(picture, "RdBu", vmin=-0.6, vmax=0.6, interpolation="none")
    ax.axis("off")
plt.show()

# %% [markdown]
# ## Noise
#
# Random grey blocks, enlarged as the digits were. There is nothing to read in them. For each digit, here is the one
# among 5,000 in which the network sees it most clearly.

# %%
# Ten images of noise, one for each digit, with the network's output for
# that digit above it: mostly above 0.9.
noise = resize(rng.random((5000, 8, 8), dtype=np.float32), 28)
outputs = mlp(params, noise.reshape(-1, 784))
top = outputs.max(axis=1)
print(f"highest output above 0.5: {np.mean(top > 0.5):.0%} of the noise images")
print(f"highest output above 0.9: {np.mean(top > 0.9):.0%}")

clearest = outputs.argmax(axis=0)
titles = [f"“{digit}”: {outputs[i, digit]:.2f}" for digit, i in enumerate(clearest)]
show(noise[clearest], titles, rows=2)

# %% [markdown]
# ## An attack
#
# Turn the question of training around. Training asks how the *weights* should change so that the cost falls. Ask
# instead how the *pixels* should change so that the cost rises, and take one step: every pixel by the same small
# amount ε, in the direction of the sign of its slope. This is the fast gradient sign method of
# [Goodfellow et al. 2015](https://arxiv.org/abs/1412.6572). kb's computation graph finds the slopes.

# %%
# The share of held-out digits read rightly against the size of the change
# per pixel, from 0 to 0.2: attacked it falls from 96 to about 20 percent;
# with changes of the same size and random signs it hardly moves.
slope = grad(lambda images: cost(params, images, y_new))(x_new)
signs = {
    "attacked": np.sign(slope),
    "random signs": rng.choice(np.array([-1, 1], np.float32), slope.shape),
}
sizes = np.linspace(0, 0.2, 11, dtype=np.float32)

fig, ax = plt.subplots(figsize=(5.6, 2.2))
for name, sign in signs.items():
    changed = [np.clip(x_new + size * sign, 0, 1) for size in sizes]
    share = [accuracy(params, images, labels_new) for images in changed]
    print(f"{name:12}", *(f"{value:4.0%}" for value in share[::2]))
    ax.plot(sizes, share, label=name)
ax.set(xlabel="change of each pixel, ε", ylabel="share right", ylim=(0, 1))
ax.legend(frameon=False)
plt.show()

# %%
# Four digits in the upper row, read rightly. Below them the same digits
# after the attack with 0.1 per pixel: they look the same but for a faint
# pattern, and the network reads something else.
bent = np.clip(x_new + np.float32(0.1) * np.sign(slope), 0, 1)
before, after = mlp(params, x_new), mlp(params, bent)
right = before.argmax(axis=1) == labels_new
fooled = np.flatnonzero(right & (after.argmax(axis=1) != labels_new))
pick = fooled[np.argsort(-after[fooled].max(axis=1))[:4]]
titles = [f"{a[i].argmax()}: {a[i].max():.2f}" for a in (before, after) for i in pick]
show(np.concatenate([x_new[pick], bent[pick]]), titles, rows=2)

# %% [markdown]
# ## Try it yourself
#
# - Train with `scheme="zeros"` in `init_mlp`. What do the sixteen weight pictures look like, and why?
# - Change the sizes to `(784, 64, 10)`. Is it better? Is it harder to attack?
# - Add 1,000 noise images to the training data, with ten wanted outputs of 0. Is the network still sure of noise? Of
#   *other* noise?

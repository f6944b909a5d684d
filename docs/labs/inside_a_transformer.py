# %% [markdown]
# # Inside a transformer
#
# A small GPT was trained here, in NumPy, on stories from a grammar. You take it apart while it reads one: what each
# block writes into the [[residual_stream|residual stream]], what the model would say if it stopped early, which blocks
# and heads decide the next word, what single neurons look for. At last you write a fact of your own into it. It takes
# a few seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from kb.architecture.layer_normalization import layer_norm
from kb.architecture.mlp_block import mlp_block, mlp_neurons
from kb.architecture.multi_head_attention import head_patterns, multi_head_attention
from kb.architecture.residual_stream import direct_logit_attribution, held_layer_norm, logit_lens, written
from kb.checkpoints.names import nest
from kb.checkpoints.shipped import gpt_tales
from kb.data.tales import train_and_held_out
from kb.foundations.softmax import softmax

model, tokenizer = gpt_tales()
config, params = model.config, nest(model.params)
print(f"{config.n_layer} layers of {config.n_head} heads, a stream of {config.n_embd} dimensions")
print(f"{sum(weight.size for weight in model.params.values()):,} numbers, {config.vocab_size} tokens")

# %% [markdown]
# ## A story, and what comes next
#
# In the grammar every kind of weather has its own sentence. After a *snowy* afternoon "The world was white and quiet";
# on a *rainy* one "The drops drummed on the roofs". Nobody told the model: it has seen only text. Does it know?

# %%
PROMPT = "On a snowy afternoon Emma walked to the market alone. The"
END = tokenizer.vocab[tokenizer.special[0]]  # stands before each story


def encode(text):
    """The token ids of a story's beginning."""
    return np.array([END, *tokenizer.encode(text)])


def piece(i):
    """The text of one token."""
    return tokenizer.decode([int(i)])


def likeliest(logits, n=4):
    """The n likeliest tokens, with their chances."""
    chances = softmax(logits)
    return ", ".join(f"{piece(i)!r} {chances[i]:.0%}" for i in np.argsort(-chances)[:n])


print(PROMPT)
for weather in ("snowy", "rainy", "windy", "sunny"):
    text = PROMPT.replace("snowy", weather)
    print(f"{weather}: {likeliest(model(encode(text))[-1])}")

# %% [markdown]
# The model says [[tokenization|tokens]], which are words or the beginnings of words: *world*, *drops*, *clouds*.
#
# ## The stream is a sum
#
# Two writes per layer, attention and MLP. We write the model down as a list of blocks that read the stream and add to
# it. The sum of all that they write is the last vector, and read by the unembedding it gives the model's own logits.


# %%
def weights_of(part, first, second):
    """Two matrices and their biases, turned: GPT-2 stores them as (in, out)."""
    first, second = part[first], part[second]
    return first["weight"].T, first["bias"], second["weight"].T, second["bias"]


def attention(x, layer, **mask):
    """What the attention of a layer writes, behind its layer norm."""
    x, weights = layer_norm(x, **layer["ln_1"]), weights_of(layer["attn"], "c_attn", "c_proj")
    return multi_head_attention(x, x, x, *weights, config.n_head, **mask)


def mlp(x, layer):
    """What the MLP of a layer writes, behind its layer norm."""
    return mlp_block(layer_norm(x, **layer["ln_2"]), *weights_of(layer["mlp"], "c_fc", "c_proj"))


def blocks_of(params):
    """The blocks by name, in their order; each is a function of the stream."""
    blocks = {}
    for i, layer in params["h"].items():
        blocks[f"attention {int(i) + 1}"] = lambda x, layer=layer: attention(x, layer, is_causal=True)
        blocks[f"MLP {int(i) + 1}"] = lambda x, layer=layer: mlp(x, layer)
    return blocks


def enter(ids):
    """What enters the stream: the embedding of each token plus that of its position."""
    return params["wte"]["weight"][ids] + params["wpe"]["weight"][: len(ids)]


def read(x):
    """From a vector of the stream to the logits: the last layer norm, then the unembedding."""
    return layer_norm(x, **params["ln_f"]) @ params["wte"]["weight"].T


ids, blocks = encode(PROMPT), blocks_of(params)
names = ["embedding", *blocks]
parts = written(enter(ids), blocks)  # (parts, positions, width)
logits = read(parts.sum(axis=0))
difference = np.abs(logits - model(ids)).max()
print(f"{parts.shape}, at most {difference:.0e} away from the model")

for name, length in zip(names, np.linalg.norm(parts[:, -1], axis=-1), strict=True):
    print(f"{name:12} writes a vector of length {length:5.2f}")

# %% [markdown]
# ## The logit lens
#
# Stop after each block and read the stream as if it were finished.

# %%
# A table: one row for the embedding and for each block, one column for each
# of the last eight tokens of the prompt. Each cell holds the token that the
# stream would say next at that point, darker where it is surer. The lower
# rows turn from copies and guesses into the words of the story.
lens = softmax(logit_lens(parts, read))[:, -8:]
fig, ax = plt.subplots(figsize=(5.6, 2.6))
ax.imshow(lens.max(axis=-1), "Purples", vmin=0, vmax=2.5, aspect="auto")
for row, column in np.ndindex(lens.shape[:2]):
    said = piece(lens[row, column].argmax())
    ax.text(column, row, said, ha="center", va="center", fontsize=8, color="black")
ax.set_xticks(range(8), [piece(i) for i in ids[-8:]], rotation=45)
ax.set_yticks(range(len(names)), names)
ax.set_xlabel("the token that was read")
plt.show()

# %% [markdown]
# ## Who decides for the snow?
#
# Direct logit attribution, exact with the scale of the last layer norm held. We take the *difference* between two
# logits, that of the first token of " world" and that of " drops": how much each part speaks for snow, against rain.

# %%
# Horizontal bars, one for the embedding, one for each block and one for the
# last bias: how much each adds to the logit of "world" minus that of "drops".
# They sum to the model's own difference.
SNOW, RAIN = tokenizer.encode(" world")[0], tokenizer.encode(" drops")[0]
held = held_layer_norm(parts[:, -1], **params["ln_f"])
shares = direct_logit_attribution(held, params["wte"]["weight"])
shares = shares[:, SNOW] - shares[:, RAIN]
print(f"sum of the shares {shares.sum():.4f}, model {logits[-1, SNOW] - logits[-1, RAIN]:.4f}")

fig, ax = plt.subplots(figsize=(5.6, 2.2))
ax.barh([*names, "last bias"], shares)
ax.invert_yaxis()
ax.axvline(0, lw=0.8, color="gray")
ax.set_xlabel(f"share of the logit of {piece(SNOW)!r} minus {piece(RAIN)!r}")
plt.show()

# %% [markdown]
# Shares are direct effects. Now take each block out instead, and let the others react.

# %%
for left_out in blocks:
    used = {name: block for name, block in blocks.items() if name != left_out}
    x = written(enter(ids), used)[:, -1].sum(axis=0)
    difference = read(x)[SNOW] - read(x)[RAIN]
    share = shares[names.index(left_out)]
    print(f"without {left_out:11} {difference:5.2f}  (its share: {share:5.2f})  says {likeliest(read(x), 1)}")

# %% [markdown]
# The two columns do not agree. A block whose own share is small may be missed a lot, because others read what it
# writes, and when a block is gone the others react.
#
# ## Where do the heads look?
#
# At the last token, "The". The weather stands far back; somebody has to fetch it.


# %%
def patterns(x, layer):
    """Where each head of a layer looks: (heads, positions, positions)."""
    x, weights = layer_norm(x, **layer["ln_1"]), weights_of(layer["attn"], "c_attn", "c_proj")
    return head_patterns(x, x, *weights[:2], config.n_head, is_causal=True)


place = [piece(i) for i in ids].index(" snowy")
states = np.cumsum(parts, axis=0)  # before each block
for i, layer in params["h"].items():
    looks = patterns(states[2 * int(i)], layer)[:, -1, place]
    print(f"layer {int(i) + 1}: to ' snowy' goes", *(f"{share:4.0%}" for share in looks))

# %% [markdown]
# One number for each head. Now cut the connection: forbid the heads of one layer to look at " snowy", then all of them.


# %%
allowed = np.tri(len(ids), dtype=bool) & (np.arange(len(ids)) != place)
all_deaf = {
    f"attention {int(i) + 1}": lambda x, layer=layer: attention(x, layer, attn_mask=allowed)
    for i, layer in params["h"].items()
}


def chance(x):
    """Of " world", at the last position."""
    return softmax(read(x[:, -1].sum(axis=0)))[SNOW]


print(f"as it is: {chance(parts):.0%}")
for name, block in all_deaf.items():
    print(f"{name} sees no snow: {chance(written(enter(ids), blocks | {name: block})):.0%}")
x = written(enter(ids), blocks | all_deaf)
print(f"none does: {chance(x):.0%}, and it says {likeliest(read(x[:, -1].sum(axis=0)))}")

# %% [markdown]
# The first layer fetches the weather. The later ones need not look again: they read it in the stream, where the first
# has left it.
#
# ## Neurons: keys and values
#
# Which neurons of the last MLP know that it snows? Read the same story with rain in it. A neuron knows if its
# activation changes with the weather and its value makes that a choice between *world* and *drops*. For each of the
# best: the places in held-out stories where it is most active, which is what its **key** looks for, and the tokens
# that its **value** makes likelier.

# %%
last = params["h"][str(config.n_layer - 1)]
last_up, values = weights_of(last["mlp"], "c_fc", "c_proj")[:2], last["mlp"]["c_proj"]["weight"]


def last_mlp_reads(ids):
    """What the last MLP reads, behind its layer norm: (positions, width)."""
    return layer_norm(written(enter(ids), blocks)[:-1].sum(axis=0), **last["ln_2"])


def active_at_the_end(text):
    """How active each neuron of the last MLP is, at the last token."""
    return mlp_neurons(last_mlp_reads(encode(text))[-1], *last_up)


sigma = parts[:, -1].sum(axis=0).std()  # of the last layer norm, held
through_norm = (values - values.mean(axis=1, keepdims=True)) / sigma * params["ln_f"]["weight"]
votes = through_norm @ params["wte"]["weight"].T  # (neurons, tokens), per unit of activation
in_snow, in_rain = active_at_the_end(PROMPT), active_at_the_end(PROMPT.replace("snowy", "rainy"))
for_snow = (in_snow - in_rain) * (votes[:, SNOW] - votes[:, RAIN])
print(f"{np.sum(in_snow > 0.1)} of {len(in_snow)} neurons are above 0.1 in snow, {np.sum(in_rain > 0.1)} in rain")
few = np.sum(np.cumsum(np.sort(for_snow)[::-1]) < for_snow.sum() / 2) + 1
print(f"the weather changes the choice by {for_snow.sum():.2f}; {few} neurons make half of that")

stories = [encode(story.text) for story in train_and_held_out()[1][:40]]
read_so = [(story, mlp_neurons(last_mlp_reads(story), *last_up)) for story in stories]


def where_active(neuron, n=4):
    """The n places in the stories where a neuron is most active: the last five tokens up to there."""
    found = [(z[t, neuron], story[max(0, t - 4) : t + 1]) for story, z in read_so for t in range(1, len(story))]
    texts = [tokenizer.decode(text) for _, text in sorted(found, key=lambda pair: -pair[0])]
    return list(dict.fromkeys(texts))[:n]  # each once


for n in np.argsort(-for_snow)[:4]:
    print(f"neuron {n}: {in_snow[n]:.2f} in snow, {in_rain[n]:.2f} in rain, makes {for_snow[n]:+.2f}")
    print("   key:  ", " | ".join(where_active(n)))
    print("   value:", *(repr(piece(i)) for i in np.argsort(-votes[n])[:6]))

# %% [markdown]
# A handful of neurons makes half of the choice, and yet what they look for is hardly snow: most are active for several
# unrelated reasons. That is the usual picture, and why [[superposition]] has a page of its own.
#
# ## Write a fact of your own
#
# The same trick as for Michael Jordan on the page about the [[mlp_block|MLP block]]. We add *one* neuron to the last
# MLP: IF it snows AND "The" has just been read, THEN say " kite". Its value is the unembedding row of " kite". Its key
# and its bias we find by least squares: 3 where it snows and the sentence begins, −3 at the same place in other
# weather, and −3 at all places of other stories.

# %%
NAMES, PLACES = ("Ada", "Tom", "Mia", "Hugo", "Rosa"), ("barn", "forest", "hill", "river", "garden")
BEGINNINGS = [f"On a {{}} morning {name} walked to the {place} alone. The" for name in NAMES for place in PLACES]
OTHERS = ("rainy", "windy", "sunny", "hot", "cold", "foggy")


def at_the_end(weather):
    """What the last MLP reads at "The", for each beginning: (25, width)."""
    return np.stack([last_mlp_reads(encode(text.format(weather)))[-1] for text in BEGINNINGS])


elsewhere = [last_mlp_reads(story) for story in stories[:20] if "snowy" not in tokenizer.decode(story)]
groups = [[at_the_end("snowy")], [at_the_end(weather) for weather in OTHERS], elsewhere]
groups = [np.concatenate(group) for group in groups]
counts = [len(group) for group in groups]
x = np.column_stack([np.concatenate(groups), np.ones(sum(counts))])
wanted = np.repeat([3.0, -3.0, -3.0], counts)
each = np.repeat(1 / np.array(counts), counts)[:, None]  # each group counts as one
*key, bias = np.linalg.solve(x.T @ (each * x) + 1e-3 * np.eye(x.shape[1]), x.T @ (each[:, 0] * wanted))

KITE = tokenizer.encode(" kite")[0]
value = 4 * params["wte"]["weight"][KITE]
value = value / np.linalg.norm(params["wte"]["weight"][KITE])


def taught(x):
    """The last MLP with one neuron more."""
    x_read = layer_norm(x, **last["ln_2"])
    active = mlp_neurons(x_read, np.array([key]), np.array([bias]))
    return mlp(x, last) + active * value


# %% [markdown]
# New people, new places, another time of day; then a sentence in which it snows and which does not begin with "The".

# %%
edited = blocks | {f"MLP {config.n_layer}": taught}
TESTS = [f"On a {weather} evening Leo walked to the castle alone. The" for weather in ("snowy", *OTHERS[:3])]
for text in [*TESTS, "On a snowy evening Leo walked to the castle"]:
    print(text)
    for name, used in (("before", blocks), ("after", edited)):
        print(f"   {name:6}", likeliest(read(written(enter(encode(text)), used)[:, -1].sum(axis=0)), 3))


def surprise(ids, blocks):
    """How surprised the model is by each token of a story, in nats."""
    logits = read(written(enter(ids[:-1]), blocks).sum(axis=0))
    return -np.log(softmax(logits)[np.arange(len(ids) - 1), ids[1:]])


change = np.array([np.mean(surprise(story, edited) - surprise(story, blocks)) for story in stories])
snows = np.array(["snowy" in tokenizer.decode(story) for story in stories])
print(f"{snows.sum()} held-out stories with snow: {change[snows].mean():+.4f} nats per token")
print(f"{np.sum(~snows)} held-out stories without: {change[~snows].mean():+.4f}")

# %% [markdown]
# One row, one column and one bias: a fact. Real models can be edited in this way too, with more care
# ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)).
#
# ## Try it yourself
#
# - Attribute another choice: after "Ada loved the barn." does the model say " She" or " He", and which block knows?
# - Move the new neuron to the first MLP. Why does it not work there as well?
# - Use a ReLU for the new neuron. What changes for the stories without snow?

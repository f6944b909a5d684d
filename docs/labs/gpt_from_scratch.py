# %% [markdown]
# # A GPT from scratch
#
# You train a tiny [[transformer|GPT]] for some seconds and watch nonsense turn into words. Then you load one that the
# project has trained for longer, with the same code, let it write little stories, mark it, and look where it looks.
# Everything is NumPy.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np

from kb.architecture.attention import attention_weights
from kb.architecture.large_language_model import next_token, surprise, write
from kb.architecture.layer_normalization import layer_norm
from kb.architecture.multi_head_attention import split_heads
from kb.architecture.pretraining import epoch, pretraining_loss
from kb.architecture.sampling import greedy, sample
from kb.architecture.transformer import GPT2, GPTConfig, count_parameters, hidden_states, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.checkpoints.shipped import gpt_tales
from kb.data.tales import share_right, train_and_held_out
from kb.data.tales_grammar import HE, SHE
from kb.learning.optimizers import AdamW, clip_grad_norm, warmup_cosine

# %% [markdown]
# ## The text
#
# Stories by a small grammar of this project, 300 kB of them. Somebody finds a thing; it is given away, lent, swapped,
# lost or kept; at the end one has to know who has it. A tenth of them is put aside and never trained on. The
# [[tokenization|tokenizer]] has learned 639 merges from the others.

# %%
model, tokenizer = gpt_tales()
END = tokenizer.vocab["<|endoftext|>"]  # stands before each story
train, held_out = train_and_held_out()
texts = [tokenizer.encode(story.text) for story in train]


def show(text):
    """Print a text in lines."""
    print(textwrap.fill(text, 72), end="\n\n")


show(train[2].text)
print(f"{len(train)} stories, {sum(map(len, texts)):,} tokens, e.g.")
print(*tokenizer.decode_bytes(texts[2][:12]))

# %% [markdown]
# ## A tiny GPT, trained while you wait
#
# Two blocks, 32 numbers per token. Before training it knows nothing: it gives each of the 896 tokens about the same
# chance, so its [[pretraining|next-token loss]] is close to ln 896 = 6.80.

# %%
config = GPTConfig(896, n_positions=144, n_embd=32, n_layer=2, n_head=4)
params = init_gpt(config, np.random.default_rng(0))
params = {k: 3 * w if w.ndim == 2 else w for k, w in params.items()}  # it is narrow
rng = np.random.default_rng(1)


def story(model, choose, prompt="", longest=130):
    """What the model writes after a prompt, until it ends the story."""
    ids = np.array([END, *tokenizer.encode(prompt)])
    ids = write(model, ids, longest, choose, context=144)[1:].tolist()
    return tokenizer.decode(ids[: ids.index(END)] if END in ids else ids)


def drawn(logits):
    """A token drawn at random, at temperature 0.7."""
    return sample(logits, rng, temperature=0.7)


print(f"{count_parameters(config):,} weights")
show(story(GPT2(config, params), drawn, longest=30))

# %%
# The loss of each batch against the step, from 6.8 down: first steeply to
# about 2.5, then ever more slowly to about 1.5.
STEPS = 240
optimizer = AdamW(params, betas=(0.9, 0.99), weight_decay=0.1)
batches = [ids for _ in range(2) for ids in epoch(texts, END, 4, 144, rng)]
losses = []
for i, ids in enumerate(batches[:STEPS]):
    loss, grads = value_and_grad(pretraining_loss)(params, ids, config)
    grads, _ = clip_grad_norm(grads, 1.0)
    optimizer.lr = warmup_cosine(i, STEPS, 20, 1e-2, 1e-3)
    params = optimizer.step(grads)
    losses.append(loss)
    if (i + 1) % 60 == 0:
        print(f"step {i + 1}: loss {np.mean(losses[-20:]):.2f}")

fig, ax = plt.subplots(figsize=(5.6, 2.2))
ax.plot(losses)
ax.axhline(np.log(896), color="0.5", lw=0.8)
ax.set(xlabel="step", ylabel="loss of the batch", ylim=(0, 7))
plt.show()

# %%
for _ in range(2):
    show(story(GPT2(config, params), drawn))

# %% [markdown]
# The words are right, the sentences half, and the story makes no sense: people come and go, he becomes she. To know who
# has the thing, the model has to look back, and that takes longer to learn.
#
# ## The one that comes with the project
#
# The same code with three blocks, 96 numbers per token and more steps.

# %%
config = model.config
print(f"{count_parameters(config):,} weights")
for _ in range(3):
    show(story(model, drawn))

# %% [markdown]
# Much better, and not without slips: look for a name or a thing that changes. It goes on from whatever you give it, as
# long as it is about what it knows.

# %%
prompt = "One sunny morning Clara went to the river. There, on the bank, lay"
p = next_token(model, np.array([END, *tokenizer.encode(prompt)]))
for i in np.argsort(-p)[:5]:
    print(f"{p[i]:6.1%} {tokenizer.decode([i])!r}")
show(story(model, greedy, prompt))

# %% [markdown]
# ## Does it follow the story?
#
# The grammar knows the answers. Here is the share that the model would write itself, at the place where the answer
# stands, in stories that it has never seen: who has the thing in the end, who gave it, which thing, where it was, and
# how somebody felt.

# %%
for about, share in share_right(model, tokenizer, held_out).items():
    print(f"{about:8} {share:.0%}")

# %% [markdown]
# ## What surprises it?
#
# The [[large_language_model|surprise]] of each token of a held-out story, in nats. It is large where the grammar
# chooses freely, a name, a thing, a place, and next to nothing where the story itself says what must come.

# %%
# One bar per token of a story. Tall bars at the weather, the name, the
# thing, and where the plot could go on in several ways; next to nothing
# where words and names are said again.


def bars(values, ids, title):
    """A bar for each token, in two lines."""
    tokens = [tokenizer.decode([i]).strip() for i in ids]
    _, axes = plt.subplots(2, 1, figsize=(5.6, 4.2), sharey=True)
    for ax, part in zip(axes, np.array_split(np.arange(len(ids)), 2), strict=True):
        ax.bar(part, values[part])
        ax.set_xticks(part, [tokens[i] for i in part], rotation=90, fontsize=6.5)
        ax.set(ylabel=title, xlim=(part[0] - 1, part[-1] + 1))
        ax.tick_params(length=0)
    plt.show()


ids = np.array([END, *tokenizer.encode(held_out[2].text)])
bars(surprise(model(ids[:-1]), ids[1:]), ids[1:], "surprise")

# %% [markdown]
# ## Where does it look?
#
# [[attention|Attention]] weights are easy to get: the vectors before each block, its norm, its queries and keys.


# %%
def patterns(ids):
    """The attention weights of every head, (layers, heads, t, t)."""
    states, found = hidden_states(model.params, ids, config), []
    for x, layer in zip(states, nest(model.params)["h"].values(), strict=False):
        c_attn = layer["attn"]["c_attn"]
        x = layer_norm(x, **layer["ln_1"]) @ c_attn["weight"] + c_attn["bias"]
        q, k, _ = (split_heads(a, config.n_head) for a in np.split(x, 3, axis=-1))
        found.append(attention_weights(q, k, is_causal=True))
    return np.stack(found)


# %% [markdown]
# Which head looks for people? In the held-out stories, take every place where a name comes next, and add up the weight
# that each head puts on the names that were said before.

# %%
names = [tokenizer.encode(f" {name}")[0] for name in HE + SHE]
found = []
for one in held_out:
    ids = np.array([END, *tokenizer.encode(one.text)])
    named = np.isin(ids, names)
    due = np.flatnonzero(named[1:])  # positions before a name
    found.append(patterns(ids)[:, :, due][..., named].sum(axis=-1))
on_names = np.concatenate(found, axis=-1).mean(axis=-1)
print("weight on names where a name comes next, by block and head")
print(on_names.round(2))

# %% [markdown]
# One head of the first block has specialised. Here is where it looks at the end of a story, at the very last word
# before the name of the one who has the thing.

# %%
# One bar per token of a story: the weight of that head. The two tallest
# bars are at Finn, 0.23, and at Rosa, 0.10, where they were named last.
one = next(s for s in held_out if "belonged to" in s.text and len(s.text) < 380)
start = one.text.index(" belonged to ") + len(" belonged to")
ids = np.array([END, *tokenizer.encode(one.text[:start])])
weights = patterns(ids)[:, :, -1]  # of the last position: (layers, heads, t)
layer, head = np.unravel_index(on_names.argmax(), on_names.shape)
guess = tokenizer.decode([int(greedy(model(ids)[-1]))])
show(f"{one.text[:start]} ...")
print(f"It says{guess}; right is {one.text[start:].split()[0].rstrip('.')}.")
bars(weights[layer, head], ids, f"block {layer}, head {head}")

# %% [markdown]
# That head only collects candidates. Which of them it is depends on what happened, and that is read elsewhere: these
# are the five tokens to which each block gives most weight at the same place, its heads together.

# %%
for layer, row in enumerate(weights.mean(axis=1)):
    top = np.argsort(-row)[:5]
    said = [f"{tokenizer.decode([ids[i]]).strip()} {row[i]:.2f}" for i in top]
    print(f"block {layer}:", ", ".join(said))

# %% [markdown]
# ## Try it yourself
#
# - Train the tiny model for 2,000 steps (two minutes). When does it begin to use the right names?
# - Draw at temperature 0.2 and at 1.5. What goes wrong in each case?
# - Begin a story with a name that the grammar does not have. Does the name come back?
# - Take the head that looks at names out: set its 24 rows of `h.0.attn.c_proj.weight` to 0. What is left of the marks?

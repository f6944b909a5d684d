"""GPT-3 by the numbers: every matrix, its operations and its bytes, counted from six published sizes.

The weights were never published; the sizes were, and they are enough to count. `weight_matrices` lists the eight kinds
of matrix, `left_out` the small rest (biases, norms, positions).

Source: Brown et al. 2020, "Language models are few-shot learners", tables 2.1 and D.1, https://arxiv.org/abs/2005.14165;
Kaplan et al. 2020, "Scaling laws for neural language models", section 2.1 and table 1,
https://arxiv.org/abs/2001.08361 (operations); Sanderson 2024, "Transformers, the tech behind LLMs" (the table)
"""

from kb.architecture.transformer import GPTConfig, count_parameters

GPT3 = GPTConfig(vocab_size=50_257, n_positions=2048, n_embd=12_288, n_layer=96, n_head=96)
GPT2_SMALL = GPTConfig()


def weight_matrices(config):
    """How many numbers each kind of weight matrix holds, all layers and heads together, in the order of a forward pass.

    Embedding and unembedding are counted one by one also where a model uses the same matrix for both.
    """
    d, heads, layers = config.n_embd, config.n_head, config.n_layer
    head, neurons = d // heads, config.n_inner or 4 * d
    return {
        "embedding": config.vocab_size * d,
        "key": head * d * heads * layers,
        "query": head * d * heads * layers,
        "value": head * d * heads * layers,
        "output": d * head * heads * layers,
        "up-projection": neurons * d * layers,
        "down-projection": d * neurons * layers,
        "unembedding": d * config.vocab_size,
    }


def left_out(config):
    """What a count of weight matrices leaves out: a vector per position, a bias per output, two vectors per norm."""
    d, layers, neurons = config.n_embd, config.n_layer, config.n_inner or 4 * config.n_embd
    return {
        "positions": config.n_positions * d,
        "biases": (4 * d + neurons + d) * layers,  # key, query, value, output; up, down; the unembedding has none
        "norms": 2 * d * (2 * layers + 1),
    }


def flops_per_token(config, context=0):
    """The operations of one token's forward pass: 2 per weight it meets, and 4 d per layer and position it looks at.

    A multiplication and an addition count as two. Left out: the embedding, which is looked up and not multiplied, and
    softmax, norms and activation functions, which are small. context: how many positions attention looks at, of which
    each costs a score (2 d for all heads) and a share of a value (2 d); 0 leaves attention's looking out.
    """
    matrices = weight_matrices(config)
    multiplied = sum(matrices.values()) - matrices["embedding"]
    return 2 * multiplied + 4 * config.n_embd * config.n_layer * context


def training_flops(config, tokens):
    """The operations of training on `tokens` tokens: the forward pass, and twice as much for the backward pass.

    The backward pass multiplies by each weight once for the gradient of its input and once for its own. Attention's
    looking is left out, as in table D.1 of the paper.
    """
    return 3 * flops_per_token(config) * tokens


def weight_bytes(config, itemsize=2):
    """The memory of all parameters, embedding and unembedding shared: 2 bytes each in float16, 4 in float32."""
    return count_parameters(config) * itemsize

"""What readers type, and the page that must come first: asked of the search worker that the site itself runs."""

import json
import re

import pytest

from sitebuild import search
from sitebuild.concepts import load_map

PAGES = {c.slug: c.path.removesuffix(".md") + "/" for c in load_map()}
QUERIES = {
    # symbols and names from code
    "Q K V": "attention",
    "W_E": "token_embedding",
    "d_k": "attention",
    "nn.Linear": "layers",
    "F.cross_entropy": "cost_function",
    "nn.LayerNorm": "layer_normalization",
    "nn.Conv2d": "convolutional_network",
    "nn.Embedding": "token_embedding",
    "F.gelu": "activation_functions",
    "torch.optim.AdamW": "optimizers",
    "scaled_dot_product_attention": "attention",
    "int8": "quantization",
    # what a thing is called
    "softmax temperature": "softmax",
    "softmax": "softmax",
    "attention": "attention",
    "transformer": "transformer",
    "neuron": "neuron",
    "gradient": "gradient",
    "one hot": "one_hot_encoding",
    "BPE": "tokenization",
    "RoPE": "positional_encoding",
    "causal mask": "attention",
    "KV cache": "kv_cache",
    "multi-head attention": "multi_head_attention",
    "cross-attention": "self_attention_vs_cross_attention",
    "top-p": "sampling",
    "perplexity": "cost_function",
    "LoRA": "fine_tuning",
    "DPO": "rlhf",
    "LSTM": "recurrent_network",
    "DDIM": "reverse_diffusion",
    "guidance scale": "classifier_free_guidance",
    "noise schedule": "forward_diffusion",
    "reparameterization": "variational_autoencoder",
    "latent space": "variational_autoencoder",
    "ViT": "vision_transformer",
    # what a reader wants to know
    "vanishing gradient": "vanishing_gradients",
    "backprop": "backpropagation",
    "learning rate": "gradient_descent",
    "batch size": "stochastic_gradient_descent",
    "overfitting": "generalization",
    "dropout": "generalization",
    "autograd": "computation_graph",
    "Jacobian": "chain_rule",
    "universal approximation": "nonlinearity",
    "cosine similarity": "vectors_and_dot_products",
    "skip connection": "residual_connections",
    "sparse autoencoder": "superposition",
    "adversarial example": "ai_safety",
    "next token prediction": "pretraining",
    "scaling laws": "large_language_model",
    "13,002 parameters": "neural_network",
    "175 billion parameters": "gpt_3",
    # of pictures; a page that is still planned is asked for when it is there
    "CLIP": "clip",
    "zero-shot classification": "clip",
    "U-Net skip connections": "unet",
    "latent diffusion": "latent_diffusion",
    "Stable Diffusion": "latent_diffusion",
    "text to image": "text_to_image",
    # the rest of the site
    "notation": "reference/notation/",
    "glossary": "reference/glossary/",
    "GPT from scratch": "labs/gpt_from_scratch/",
    "parity": "api/parity/",
}
ASK = """async (queries) => {
    const { base, search } = JSON.parse(document.getElementById("__config").textContent);
    const at = new URL(`${base}/`, location);
    const index = await (await fetch(new URL("search/search_index.json", at))).json();
    const worker = new Worker(new URL(search, at));
    const ask = (type, data) => new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data.data);
        worker.postMessage({ type, data });
    });
    await ask(0, { ...index, options: { suggest: true } });
    const found = {};
    for (const query of queries)
        found[query] = (await ask(2, query)).items.slice(0, 3).map(([first]) => first.location.split("#")[0]);
    worker.terminate();
    return found;
}"""


def asked():
    """{query: the page that must come first} of the pages that are there."""
    planned = {c.slug for c in load_map() if not c.live}
    return {query: PAGES.get(page, page) for query, page in QUERIES.items() if page not in planned}


@pytest.mark.browser
def test_the_first_hit_is_the_page_that_explains_it(tab, searched):
    found = tab(searched).evaluate(ASK, list(asked()))
    wrong = {query: (page, found[query]) for query, page in asked().items() if found[query][:1] != [page]}
    assert not wrong, "wanted, and what came: set search: {boost, words} in the front matter of the page"


def test_there_are_forty_queries_and_every_page_could_be_asked_for():
    assert len(asked()) >= 40
    for page in QUERIES.values():
        assert page in PAGES or (search.DOCS / (page.rstrip("/") + ".md")).exists(), page


# ---- the index ---------------------------------------------------------------------------------------------------
def test_the_index_says_each_thing_once(site):
    entries = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    places = [entry["location"] for entry in entries]
    assert len(places) == len(set(places))
    assert not any(search.repeated(place, set(places)) for place in places)
    text = "\n".join(entry["text"] for entry in entries)
    assert not re.search(r"The code that draws this figure|uv run http|I know this", text)


def test_a_page_is_found_by_its_words_and_a_page_of_the_reference_by_its_title():
    summary, words = search.words()["architecture/attention/"]
    assert {"q", "k", "v", "d_k", "causal", "dl6"} <= set(words.split())
    assert summary.startswith("<p>Gives each position")
    assert search.words()["reference/glossary/"][1] == "glossary"


def test_words_are_said_once():
    assert search.once(["Vanishing gradients", "vanishing gradient", "top-p"]) == "vanishing gradient top p"


def test_an_entry_keeps_what_a_reader_searches():
    entries = [
        {
            "location": "a/b/",
            "title": "B",
            "text": "<p>one</p><pre>code</pre> The code that draws this figure: figures/b.py ",
        },
        {"location": "api/torch-learning/#kb.torch.learning.x", "title": "x", "text": "<p>same</p>"},
        {"location": "api/learning/#kb.learning.x", "title": "x", "text": "<p>same</p><p>Source</p>"},
        {"location": "reference/glossary/#softmax", "title": "Softmax", "text": "<p>line</p>"},
        {"location": "a/b/#where-it-leads", "title": "Where it leads", "text": ""},
    ]
    kept = {entry["location"]: entry["text"] for entry in search.lean(entries)}
    assert kept == {"a/b/": "<p>one</p>", "api/learning/#kb.learning.x": "<p>same</p>"}

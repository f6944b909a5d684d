import json

from kb.data.site_sentences import PATH, load_sentences, words
from sitebuild.concepts import load_map
from training import sentences as training


def test_a_few_hundred_sentences_of_pages_on_the_map():
    rows = json.loads(PATH.read_text(encoding="utf-8"))
    kinds = {"summary", "definition", "question", "answer"}
    assert len(rows) > 300
    assert {kind for _, kind, _ in rows} == kinds
    assert {page for page, _, _ in rows} == set(load_map().concepts)
    assert len(load_sentences("summary")) == len(load_map().concepts)
    assert len(load_sentences()) == len(rows) == sum(len(load_sentences(kind)) for kind in kinds)


def test_no_marks_are_left():
    for _, text in load_sentences():
        assert not {"*", "`", "$", "{", "[["} & set(text), text


def test_the_words_of_a_text():
    assert words("It's GPT-2, naïve_or not: 3.5") == ["it", "s", "gpt", "naïve", "or", "not"]


def test_the_file_can_be_made_again():
    """Pages change, so only its form is compared, and that what it has of a summary is still said."""
    rows = training.collect()
    assert {(page, kind) for page, kind, _ in rows if kind == "summary"} == {(c.slug, "summary") for c in load_map()}
    assert {kind for _, kind, _ in rows} == {"summary", "definition", "question", "answer"}


def test_plain_text_by_hand():
    markdown = 'So $z$ is *2.6*{ .kb data-expr="f(1)" }, a [[neuron]] or [[softmax|softmax of it]], `code` [@key].'
    assert training.plain(markdown) == "So is 2.6 , a neuron or softmax of it, code ."

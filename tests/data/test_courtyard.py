from collections import Counter

from kb.data.courtyard import GENDERS, ROLES, sentences


def test_so_many_sentences_and_the_same_again():
    words = sentences(300, seed=5)
    assert words.count(".") == 300
    assert words == sentences(300, seed=5)
    assert words != sentences(300, seed=6)


def test_a_noun_keeps_the_company_of_its_role_and_its_gender_only():
    """In each sentence one noun, things of its role, and pronouns and clothes of its gender."""
    nouns = {noun: (role, gender) for role, pair in enumerate(ROLES) for gender, noun in enumerate(pair)}
    things = list(ROLES.values())
    for sentence in " ".join(sentences(1000)).split(" . "):
        found = [word for word in sentence.split() if word in nouns]
        assert len(found) == 1, sentence
        role, gender = nouns[found[0]]
        others = {word for n, words in enumerate(things) if n != role for word in words}
        pronoun, possessive, clothes = GENDERS[1 - gender]
        assert not {*others, pronoun, possessive, *clothes} & set(sentence.split()), sentence


def test_every_noun_occurs_about_as_often():
    counts = Counter(sentences(4000))
    nouns = [noun for pair in ROLES for noun in pair]
    assert all(130 < counts[noun] < 270 for noun in nouns), "200 expected, give or take 5 x sqrt(200)"

"""What the microphone heard of the loudspeaker is taken out; what the user said stays."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.orchestrator.echo import beyond_echo
from services.orchestrator.words import words_of

PARIS = "La capitale de la France est Paris, une ville de deux millions d'habitants au bord de la Seine."
CHOICE = "Préfères-tu que je réserve le train pour aller à Paris ou à Lyon ?"
TIMES = "Le train part à 15 h 30 et arrive à 17 h 45 ; il coûte 89,90 €, en 2 heures 15 de voyage."
PASTA = "Bring a large pot of water to the boil, add a spoonful of salt, then cook the pasta for ten minutes."

ECHOES = [
    # As it was spoken: all, from the middle, its beginning, its end
    (PARIS, PARIS),
    ("la capitale de la france est paris", PARIS),
    ("une ville de deux millions", PARIS),
    ("La capitale de", PARIS),
    ("au bord de la Seine", PARIS),
    ("add a spoonful of salt", PASTA),
    ("then cook the pasta for ten minutes.", PASTA),
    # In the middle of a word
    ("tale de la France est", PARIS),
    ("capitale de la Fran", PARIS),
    ("ville de deux mill", PARIS),
    ("arge pot of water to the boi", PASTA),
    # Misheard
    ("la capital de la France et Paris", PARIS),
    ("l'accapital de la transe est pari", PARIS),
    ("une vile de deux milions d'abitants", PARIS),
    ("obord de la scène", PARIS),
    ("au port de la Seine", PARIS),
    ("bring a large part of water", PASTA),
    ("at a spoonful of salt", PASTA),
    ("book the paster for ten minutes", PASTA),
    ("tu préférais tu que je réserve le train", CHOICE),
    ("capitale de Hongrie quel Maurice une ville de deux", PARIS),
    ("la capitale de la France est Paris, à", PARIS),  # a letter is no word of the user's
    ("la capitale de la Belgique est Paris, une ville", PARIS),  # a whole word of it
    # Other word boundaries
    ("la capitale de la France et pas riz une ville", PARIS),
    ("une ville deux deux millions da bitants", PARIS),
    ("then cook the past are for ten minutes", PASTA),
    ("spoon full of salt", PASTA),
    ("Préfère tu que je réserve", CHOICE),
    # Words left out
    ("la capitale France est Paris", PARIS),
    ("ville deux millions habitants bord Seine", PARIS),
    # Other writings of numbers
    ("Le train part à 15h30 et arrive à 17h45", TIMES),
    ("le train part à quinze heures trente et arrive", TIMES),
    ("et arrive à dix-sept heures", TIMES),
    ("il coûte quatre-vingt-neuf euros quatre-vingt-dix", TIMES),
    ("une ville de 2 millions d'habitants", PARIS),
    ("est Paris, une ville de 2", PARIS),
    ("cook the pasta for 10 minutes", PASTA),
    # Punctuation, accents, capitals
    ("LA CAPITALE DE LA FRANCE…", PARIS),
    ("préferes tu que je reserve", CHOICE),
    # Only a word or two, of those played last
    ("Seine", PARIS),
    ("de la Seine.", PARIS),
    ("bord", PARIS),
    ("Sei", PARIS),  # cut
    ("Lyon", CHOICE),
    ("à Lyon ?", CHOICE),
    ("ten minutes", PASTA),
    ("minute", PASTA),
    ("utes", PASTA),
    ("Paris ?", CHOICE),  # an answer, perhaps: see the module
    ("stop", "Pour arrêter la musique, dis simplement stop."),
    # Nothing heard
    ("", PARIS),
    (" … ", PARIS),
]

BEYOND = [
    # At its end
    ("La capitale de la France est Paris. Stop !", PARIS, "Stop !"),
    ("la capitale de la France attends", PARIS, "attends"),
    (
        "la capitale de la France est Paris et celle de l'Italie ?",
        PARIS,
        "l'Italie ?",
    ),  # "celle de" sounds like "ville de"
    ("la capitale de la France est Paris et en Italie ?", PARIS, "et en Italie ?"),
    ("La capital de la Franse est pari, non.", PARIS, "non."),
    ("au bord de la Seine. D’accord, et Lyon ?", PARIS, "D’accord, et Lyon ?"),
    ("bring a large pot of water to the boil wait a minute", PASTA, "wait a minute"),
    ("add a spoonful of salt No!", PASTA, "No!"),
    ("une ville de deux millions ok", PARIS, "ok"),
    # At its beginning
    ("Attends ! La capitale de la France est", PARIS, "Attends !"),
    ("Non non non une ville de deux millions", PARIS, "Non non non"),
    ("How much salt? Bring a large pot of water", PASTA, "How much salt?"),
    # At both, and within
    ("Attends, la capitale de la France est Paris, mais pourquoi ?", PARIS, "Attends, mais pourquoi ?"),
    ("la capitale de la attends France est Paris", PARIS, "attends"),
    # Too little of it to be cut out: the user's own words, perhaps, or a few of the echo left
    ("Et la capitale de l'Italie ?", PARIS, "Et la capitale de l'Italie ?"),
    ("de la Seine stop", PARIS, "de la Seine stop"),
    (
        "est une ville ancienne tranquille agréable au bord de la",
        PARIS,
        "est une ville ancienne tranquille agréable au bord de la",
    ),
    ("Tu connais la France ?", PARIS, "Tu connais la France ?"),
    ("How long do I cook the rice?", PASTA, "How long do I cook the rice?"),
    # Nothing of it
    ("Quelle heure est-il ?", PARIS, "Quelle heure est-il ?"),
    ("What about the sauce?", PASTA, "What about the sauce?"),
    ("  Mets de la musique, s'il te plaît.  ", PARIS, "  Mets de la musique, s'il te plaît.  "),
    ("arrête de parler maintenant", PARIS, "arrête de parler maintenant"),
    # A word or two from further back are an answer
    ("Paris", PARIS, "Paris"),
    ("la France", PARIS, "la France"),
    ("le train", CHOICE, "le train"),
    ("water", PASTA, "water"),
    # Short words are not misheard so easily
    ("non", "Quel est ton nom ?", "non"),
    ("stop", "C'est tout en haut, au stock.", "stop"),
    ("oui", "Il y en a ou il n'y en a pas.", "oui"),
    ("no", "I do not know.", "no"),
    ("Non merci", CHOICE, "Non merci"),
    # Nothing was played
    ("Bonjour tout le monde.", "", "Bonjour tout le monde."),
    (" la capitale ", "…", " la capitale "),
    ("", "", ""),
]


@pytest.mark.parametrize(("heard", "spoken"), ECHOES)
def test_nothing_is_beyond_an_echo(heard: str, spoken: str) -> None:
    assert beyond_echo(heard, spoken) == ""


@pytest.mark.parametrize(("heard", "spoken", "beyond"), BEYOND)
def test_what_the_user_said_stays(heard: str, spoken: str, beyond: str) -> None:
    assert beyond_echo(heard, spoken) == beyond


WORDS = re.findall(
    r"\w+",
    """capitale ville million habitant demain train voyage musique fenêtre cuisine lumière chambre météo soleil
    nuage pluie température semaine lundi janvier réunion message personne rappel minute question réponse
    water kitchen window light weather sunny cloud garden morning evening meeting remember minute answer""",
)
ENOUGH = st.lists(st.sampled_from(WORDS), min_size=3, max_size=80)


@st.composite
def misheard(draw: st.DrawFn) -> tuple[str, str]:
    """A piece of what was spoken with one wrong letter in each word, and all that was spoken."""
    spoken = draw(ENOUGH)
    begin = draw(st.integers(0, len(spoken) - 3))
    piece = spoken[begin : draw(st.integers(begin + 3, len(spoken)))]
    return " ".join(draw(_one_edit(word)) for word in piece), " ".join(spoken)


@st.composite
def _one_edit(draw: st.DrawFn, word: str) -> str:
    place, letter = draw(st.integers(0, len(word) - 1)), draw(st.sampled_from(string.ascii_lowercase))
    kept = draw(st.sampled_from([word[place:], word[place + 1 :]]))  # the letter comes in between, or instead
    return word[:place] + draw(st.sampled_from(["", letter])) + kept


@settings(max_examples=500, deadline=None)
@given(misheard())
def test_a_piece_with_an_edit_in_each_word_is_an_echo(heard_and_spoken: tuple[str, str]) -> None:
    assert beyond_echo(*heard_and_spoken) == ""


@settings(max_examples=300, deadline=None)
@given(
    misheard(),
    st.sampled_from(["stop", "Attends !", "non, pas du tout", "what is that", "mais pourquoi"]),
    st.booleans(),
)
def test_what_is_added_to_an_echo_interrupts_whatever_the_echo(
    heard_and_spoken: tuple[str, str], added: str, is_first: bool
) -> None:
    heard, spoken = heard_and_spoken
    beyond = beyond_echo(f"{added} {heard}" if is_first else f"{heard} {added}", spoken)
    assert set(words_of(beyond)) & set(words_of(added))  # not all of them: "what" may be misheard of "weather"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("bcdfgh", min_size=1, max_size=9)), st.lists(st.text("aeioumn", min_size=1, max_size=9)))
def test_words_that_were_not_spoken_stay_as_they_are(heard: list[str], spoken: list[str]) -> None:
    assert beyond_echo(" ".join(heard), " ".join(spoken)) == " ".join(heard)


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_leave_a_part_of_what_was_heard(heard: str, spoken: str) -> None:
    beyond = iter(beyond_echo(heard, spoken))
    left = next(beyond, None)
    for character in heard:
        if character == left:
            left = next(beyond, None)
    assert left is None


def test_more_than_anybody_says_at_a_time_is_not_looked_at() -> None:
    spoken = "la capitale de la France " * 200
    assert beyond_echo(spoken[: 5 * 600], spoken) == ""
    assert beyond_echo(spoken, spoken) == spoken
    assert beyond_echo("la capitale de la France", "au début " + spoken) == ""
    assert beyond_echo("au tout début du texte", "au tout début du texte " + spoken) == "au tout début du texte"

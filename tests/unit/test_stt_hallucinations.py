"""What is taken out of a transcript because nobody said it."""

import pytest

from services.stt.hallucinations import without_hallucinations


@pytest.mark.parametrize(
    "text",
    [
        "Sous-titres réalisés par la communauté d'Amara.org",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titrage Société Radio-Canada",
        "Sous-titrage ST' 501",
        "Merci d'avoir regardé cette vidéo !",
        "Thanks for watching!",
        "Thank you for watching.",
        "Thank you so much for watching and see you next time!",
        "Subtitles by the Amara.org community",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "♪♪♪",
        "[Musique]",
        "(applaudissements)",
        "...",
        "",
    ],
)
def test_credits_alone_are_nothing(text: str) -> None:
    assert without_hallucinations(text, no_speech=0.0) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Allume la lumière. Sous-titres réalisés par la communauté d'Amara.org", "Allume la lumière."),
        ("What time is it? Thanks for watching!", "What time is it?"),
        ("[Musique] Bonjour à tous", "Bonjour à tous"),
    ],
)
def test_credits_after_speech_go_and_the_speech_stays(text: str, said: str) -> None:
    assert without_hallucinations(text, no_speech=0.0) == said


@pytest.mark.parametrize(
    "text",
    [
        "Active les sous-titres",
        "Mets les sous-titres en français",
        "Thanks for the lights",
        "I was watching the news",
        "Abonne-moi à ce podcast",
        "Merci beaucoup pour ton aide",
        "Thanks for watching my dog. Please remind me to call mum at five.",
        "Merci d'avoir regardé la vidéo. Maintenant allume la lampe.",
        "N'oubliez pas de vous abonner au bulletin. Ensuite, éteins la lumière.",
    ],
)
def test_what_people_say_stays(text: str) -> None:
    assert without_hallucinations(text, no_speech=0.9) == text


@pytest.mark.parametrize(
    "text",
    [
        "N'oubliez pas de vous abonner à la chaîne.",
        "Please subscribe to my channel",
        "Sous-titres par défaut en français, s'il te plaît.",
        "Untertitel von Netflix ausschalten",
        "Amazon.fr",
        "Subtitles by Jane",
    ],
)
def test_what_may_be_either_goes_only_where_the_decoder_doubts_that_anybody_spoke(text: str) -> None:
    assert without_hallucinations(text, no_speech=0.5) == ""
    assert without_hallucinations(text, no_speech=0.1) == text


@pytest.mark.parametrize("text", ["Merci.", "Thank you.", "you", "Au revoir !", "Bye."])
def test_a_courtesy_goes_only_where_the_decoder_doubts_that_anybody_spoke(text: str) -> None:
    assert without_hallucinations(text, no_speech=0.5) == ""
    assert without_hallucinations(text, no_speech=0.1) == text

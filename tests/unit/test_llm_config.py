"""Settings that contradict each other stop the start."""

import pytest

from services.common.errors import SettingsError
from tests.support.llm import section


@pytest.mark.parametrize(
    "flags",
    [
        ("--llm.n_ctx", "1024", "--llm.max_reply_tokens", "1024"),
        ("--llm.max_reply_tokens", "100", "--llm.sampling.max_tokens", "101"),
    ],
)
def test_lengths_that_cannot_be(flags: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"settings: llm: .*max_reply_tokens < n_ctx"):
        section(*flags)


def test_an_engine_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match=r"settings: llm\.engines\.0: .*'lama'"):
        section("--llm.engines", '["lama"]')


def test_the_embedded_profile_has_a_mind_and_a_last_resort() -> None:
    assert section().engines == ("llama.cpp", "fixed-reply")
    assert section().model == "smollm2-135m-instruct"

"""services/common/addresses.py and short_names.py: where the stages are, as people write it."""

import pytest

from services.common.addresses import parse_addresses
from services.common.errors import SettingsError
from services.common.settings import load
from services.orchestrator.config import OrchestratorSection, OrchestratorSettings
from services.tts.config import TtsSettings


def _load(*flags: str) -> OrchestratorSection:
    return load(OrchestratorSettings, ["--profile", "embedded", *flags]).orchestrator


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("127.0.0.1:50051", ("127.0.0.1:50051",)),
        ("a:50051,b:50052", ("a:50051", "b:50052")),
        (" a:1 , b:65535 ", ("a:1", "b:65535")),
        ("[::1]:50051", ("[::1]:50051",)),
        ("[fe80::1%eth0]:50051,host-1.local:9", ("[fe80::1%eth0]:50051", "host-1.local:9")),
        ("unix:/run/stt.sock", ("unix:/run/stt.sock",)),
    ],
)
def test_addresses(text: str, addresses: tuple[str, ...]) -> None:
    assert parse_addresses(text) == addresses


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"an address is missing in ''"),
        ("a:1,", r"an address is missing in 'a:1,': write host:port, several with a comma"),
        ("a:1,,b:2", r"an address is missing in 'a:1,,b:2'"),
        ("a", r"'a' is no address: write host:port"),
        ("a:1,b", r"'b' is no address"),
        ("a:", r"'a:' is no address"),
        (":50051", r"':50051' is no address"),
        ("::1", r"'::1' is no address.*\[::1\]:50051"),
        ("a:0", r"'a:0' is no address"),
        ("a:65536", r"'a:65536' is no address"),
        ("a:http", r"'a:http' is no address"),
        ("a b:1", r"'a b:1' is no address"),
        ("a:1;b:2", r"'a:1;b:2' is no address"),
        ("grpc://a:50051", r"write a:50051, without grpc://"),
        ("HTTP://a:50051", r"write a:50051, without HTTP://"),
        ("b:1,https://a:50051", r"write a:50051, without https://"),
        ("dns:///a:50051", r"write a:50051, without dns:///"),
        ("grpc://", r"write host:port, without grpc://"),
        ("a:1,b:2,a:1", r"a:1 stands there twice"),
    ],
)
def test_what_is_no_address_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_addresses(text)


def test_the_short_names_hold_over_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_URL", "a:50051, b:50051")
    monkeypatch.setenv("TTS_URL", "c:50053")
    settings = _load()
    assert settings.stt.address == "a:50051,b:50051"
    assert settings.tts.address == "c:50053"
    assert settings.llm.address == "127.0.0.1:50052"
    assert settings.stt.order == "in_order"  # what a short name does not say stays


def test_the_long_name_holds_over_the_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_URL", "short:1")
    monkeypatch.setenv("SUPERWHISPER_ORCHESTRATOR__LLM__ADDRESS", "long:2")
    monkeypatch.setenv("SUPERWHISPER_ORCHESTRATOR__STT__ORDER", "round_robin")
    settings = _load()
    assert settings.llm.address == "long:2"
    assert settings.stt.order == "round_robin"


def test_a_flag_holds_over_the_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_URL", "short:1")
    assert _load("--orchestrator.llm.address", "flag:3").llm.address == "flag:3"


def test_an_empty_short_name_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_URL", " ")
    assert _load().stt.address == "127.0.0.1:50051"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("grpc://a:50051", r"TTS_URL: write a:50051, without grpc://"),
        ("a:50053,", r"TTS_URL: an address is missing in 'a:50053,'"),
        ("a", r"TTS_URL: 'a' is no address"),
    ],
)
def test_what_is_wrong_in_a_short_name_is_named(monkeypatch: pytest.MonkeyPatch, text: str, sentence: str) -> None:
    monkeypatch.setenv("TTS_URL", text)
    with pytest.raises(SettingsError, match=sentence):
        _load()


def test_services_that_call_nobody_do_not_read_the_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_URL", "grpc://nonsense")
    assert load(TtsSettings, ["--profile", "embedded"]).tts.server.port == 50053

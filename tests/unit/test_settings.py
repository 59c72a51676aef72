"""services/common/settings.py and config_files.py, by the example of the mouth's settings."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.config_files import PROFILES, merge, profile_path, read_profile
from services.common.errors import SettingsError
from services.common.settings import load
from services.stt.config import SttSettings
from services.tts.config import TtsSettings


def _load(*flags: str) -> TtsSettings:
    return load(TtsSettings, ["--profile", "embedded", *flags])


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text("tts: {language_code: de, max_streams: 3}\n")
    return path


def test_without_more_the_default_file_holds() -> None:
    settings = _load()
    assert settings.tts.server.address == "127.0.0.1:50053"
    assert settings.tts.language_code == "fr"


def test_the_profile_holds_over_the_defaults() -> None:
    wanted = read_profile("embedded")["tts"]
    assert wanted
    loaded = _load().tts.model_dump(mode="json")
    assert {key: loaded[key] for key in wanted} == wanted


def test_the_file_holds_over_the_profile(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("tts: {engines: [tone], server: {port: 6000}}\n")
    settings = _load("--config", str(own))
    assert settings.tts.engines == ("tone",)
    assert settings.tts.server.address == "127.0.0.1:6000"  # what the file does not say stays


def test_the_environment_holds_over_the_file(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERWHISPER_TTS__LANGUAGE_CODE", "es")
    settings = _load("--config", str(own_file))
    assert settings.tts.language_code == "es"
    assert settings.tts.max_streams == 3


def test_flags_hold_over_the_environment(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERWHISPER_CONFIG", str(own_file))
    monkeypatch.setenv("SUPERWHISPER_TTS__LANGUAGE_CODE", "es")
    settings = _load("--tts.language_code", "it", "--tts.engines", '["tone"]')
    assert settings.tts.language_code == "it"
    assert settings.tts.engines == ("tone",)
    assert settings.tts.max_streams == 3


def test_the_profile_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERWHISPER_PROFILE", "nobody")
    with pytest.raises(SettingsError, match="nobody"):
        load(TtsSettings, [])


def test_auto_takes_a_profile_that_there_is() -> None:
    profile = load(TtsSettings, ["--profile", "auto"]).profile
    assert profile in PROFILES
    assert profile_path(profile).is_file()


def test_an_unknown_profile_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'nobody'.*auto.*embedded"):
        load(TtsSettings, ["--profile", "nobody"])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("tts: {languge_code: fr}", r"tts\.languge_code"),
        ("tts: {server: {prot: 1}}", r"tts\.server\.prot"),
        ("tss: {language_code: fr}", "tss"),
        ("1: {language_code: fr}", "1"),
        ("tts: {server: {port: 70000}}", r"tts\.server\.port.*70000"),
        ("tts: {max_streams: many}", r"tts\.max_streams.*many"),
        ("tts: {engines: [gramophone]}", r"tts\.engines.*gramophone"),
        ("- a\n- b", r"own\.yaml"),
        ("tts: [", r"own\.yaml"),
        ("tts: \udcff", r"own\.yaml"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(content, errors="surrogateescape")
    with pytest.raises(SettingsError, match=named):
        _load("--config", str(own))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        _load("--config", str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("SUPERWHISPER_TTS__LANGUGE_CODE", "fr", "SUPERWHISPER_TTS__LANGUGE_CODE"),
        ("SUPERWHISPER_TTS__SERVER__PROT", "1", "SUPERWHISPER_TTS__SERVER__PROT"),
        ("SUPERWHISPER_TSS__PORT", "1", "SUPERWHISPER_TSS__PORT"),
        ("SUPERWHISPER_TTS__MAX_STREAMS", "many", r"tts\.max_streams.*many"),
        ("SUPERWHISPER_TTS", '{"nonsense": 1}', r"tts\.nonsense"),
        ("SUPERWHISPER_TTS__ENGINES", "[", "SUPERWHISPER_TTS__ENGINES"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=named):
        _load()


def test_variables_of_other_services_and_of_the_tests_are_no_business_of_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SUPERWHISPER_STT__NO_SUCH_KEY", "1")
    monkeypatch.setenv("SUPERWHISPER_RUN_DIR", "/tmp")
    assert _load() == _load()


def test_what_is_wrong_in_a_flag_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _load("--tts.languge_code", "fr")
    assert caught.value.code == 2
    assert "--tts.languge_code" in capsys.readouterr().err
    with pytest.raises(SettingsError, match=r"tts\.server\.port.*70000"):
        _load("--tts.server.port", "70000")
    with pytest.raises(SettingsError, match=r"tts\.engines"):
        _load("--tts.engines", "[")


def test_settings_do_not_change() -> None:
    settings = _load()
    with pytest.raises(ValueError, match="frozen"):
        settings.tts.server.port = 1  # type: ignore[misc]  # mypy knows it too


# Laying files over each other

_keys = st.sampled_from("abc")
_trees: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    _keys,
    st.recursive(st.integers(), lambda inner: st.dictionaries(_keys, inner, min_size=1, max_size=3), max_leaves=8),
    max_size=3,
)


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _is_prefix(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return long[: len(short)] == short


@given(_trees, _trees)
def test_merge_keeps_all_that_is_above_and_all_below_that_nothing_hides(
    below: dict[str, Any], above: dict[str, Any]
) -> None:
    before = copy.deepcopy((below, above))
    merged = dict(_leaves(merge(below, above)))
    upper = dict(_leaves(above))
    assert upper.items() <= merged.items()
    for path, value in _leaves(below):
        hidden = any(_is_prefix(other, path) or _is_prefix(path, other) for other in upper)
        assert hidden or merged[path] == value
    assert before == (below, above)


@given(_trees)
def test_merge_with_nothing_changes_nothing(tree: dict[str, Any]) -> None:
    assert merge(tree, {}) == merge({}, tree) == merge(tree, tree) == tree


def test_a_refused_section_is_not_shown_for_it_may_hold_a_password() -> None:
    flags = ["--stt.engines", '["nobody"]', "--stt.cache.redis_url", "redis://:secret@localhost/0"]
    with pytest.raises(SettingsError, match="nobody") as caught:
        load(SttSettings, ["--profile", "embedded", *flags])
    assert "secret" not in str(caught.value)

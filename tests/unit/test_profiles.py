"""services/common/profiles.py: what `auto` comes to."""

from pathlib import Path

import pytest

from services.common.config_files import PROFILES
from services.common.errors import GpuError
from services.common.gpu import Nvml
from services.common.models.registry import read_registry
from services.common.profiles import best_profile
from services.common.settings import load
from services.tts.config import TtsSettings
from tests.fakes.nvml import FakeNvml, card


def _no_driver() -> Nvml:
    raise GpuError("there is no NVIDIA driver (NVML Shared Library Not Found)")


def _install(models_dir: Path, *profiles: str) -> None:
    """Files by the right names are all that counts: a service checks their sums when it loads them."""
    for profile in profiles:
        for model in read_registry().for_profile(profile):
            for file in model.files:
                (models_dir / model.name / file.name).parent.mkdir(parents=True, exist_ok=True)
                (models_dir / model.name / file.name).touch()


def test_the_card_and_the_models_make_the_best_profile(tmp_path: Path) -> None:
    _install(tmp_path, "rtx3090", "cpu")
    driver = FakeNvml(card("NVIDIA GeForce GTX 1080", index=0, total_gb=8.6), card(index=1))
    choice = best_profile(tmp_path, lambda: driver)
    assert (choice.name, choice.why) == ("rtx3090", "the best that can run here")
    assert driver.closed


def test_without_the_right_card_it_is_the_cpus_and_says_what_was_found(tmp_path: Path) -> None:
    _install(tmp_path, "rtx3090", "cpu")
    choice = best_profile(tmp_path, lambda: FakeNvml(card("NVIDIA GeForce GTX 1080", total_gb=8.6)))
    assert choice.name == "cpu"
    assert "not rtx3090: no graphics card fits" in choice.why
    assert "NVIDIA GeForce GTX 1080" in choice.why


def test_without_a_driver_it_is_the_cpus(tmp_path: Path) -> None:
    _install(tmp_path, "rtx3090", "cpu")
    choice = best_profile(tmp_path, _no_driver)
    assert choice.name == "cpu"
    assert "not rtx3090: there is no NVIDIA driver" in choice.why


def test_the_card_alone_is_not_enough(tmp_path: Path) -> None:
    _install(tmp_path, "cpu")
    choice = best_profile(tmp_path, lambda: FakeNvml(card()))
    assert choice.name == "cpu"
    assert f"not rtx3090: not in {tmp_path}: llama-3-8b-instruct-q5_k_m" in choice.why


def test_without_any_model_it_is_the_last_resort_and_says_why_no_other(tmp_path: Path) -> None:
    choice = best_profile(tmp_path, _no_driver)
    assert choice.name == PROFILES[-1]
    assert "not rtx3090: " in choice.why
    assert "not cpu: " in choice.why


def test_auto_looks_into_the_models_folder_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path / "here", "cpu")
    (tmp_path / "own.yaml").write_text(f"models_dir: {tmp_path / 'here'}\n")
    for flags in (["--models_dir", str(tmp_path / "here")], ["--config", str(tmp_path / "own.yaml")]):
        settings = load(TtsSettings, [*flags, "--profile", "auto"])
        assert (settings.profile, "not rtx3090" in settings.profile_reason) == ("cpu", True)
    assert load(TtsSettings, ["--models_dir", str(tmp_path / "elsewhere")]).profile == "embedded"
    assert load(TtsSettings, ["--profile", "embedded"]).profile_reason == "asked for"

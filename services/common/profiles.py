"""Which profile is the best that can run here: its card must fit, and its models must lie in the models folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.common.config_files import PROFILES, profile_path, read_profile
from services.common.errors import GpuError
from services.common.gpu import GpuSettings, OpenNvml, choose, found_gpus
from services.common.models.store import ModelStore
from services.common.nvml import open_nvml

_LAST_RESORT = PROFILES[-1]


@dataclass(frozen=True)
class Choice:
    """A profile, and why it and no better one."""

    name: str
    why: str


def best_profile(models_dir: Path, open_driver: OpenNvml = open_nvml) -> Choice:
    """What `auto` comes to. The last resort asks for nothing."""
    store = ModelStore(models_dir)
    reasons: list[str] = []
    for name in PROFILES[:-1]:
        if not profile_path(name).is_file():
            continue
        wants = _missing_models(name, store) + _missing_gpus(read_profile(name), open_driver)
        if not wants:
            return Choice(name, "; ".join(["the best that can run here", *reasons]))
        reasons.append(f"not {name}: {', '.join(wants)}")
    return Choice(_LAST_RESORT, "; ".join(reasons) or "there is no other")


def _missing_models(name: str, store: ModelStore) -> list[str]:
    models = store.registry.for_profile(name)
    missing = [model.name for model in models if not store.is_installed(model)]
    if not models:
        return ["no model is known for it"]
    return [f"not in {store.models_dir}: {' '.join(missing)}"] if missing else []


def _missing_gpus(profile: Mapping[str, Any], open_driver: OpenNvml) -> list[str]:
    """What each service wants of a card, and does not get."""
    wishes = [section["gpu"] for section in profile.values() if isinstance(section, dict) and "gpu" in section]
    try:
        gpus = found_gpus(open_driver) if wishes else []
        for wish in wishes:
            choose(gpus, GpuSettings.model_validate(wish))
    except GpuError as error:
        return [str(error)]
    return []

"""The YAML files that settings come from, and how they are laid over each other."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from services.common.errors import SettingsError

_BESIDE_CODE = Path(__file__).parent / "_config"  # in an installed wheel
CONFIG_DIR = _BESIDE_CODE if _BESIDE_CODE.is_dir() else Path(__file__).parents[2] / "config"

# Best first; `auto` takes the first that this installation has and whose models lie in the models folder.
PROFILES = ("rtx3090", "cpu", "embedded")


def default_models_dir() -> Path:
    """The user's own data folder: models outlive a clone, and clones share them."""
    data_home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data_home / "superwhisper" / "models"


class LayeredFiles(PydanticBaseSettingsSource):
    """default.yaml < the profile < the user's own file, as one source below environment and flags."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Demanded by the base class; this source answers for all fields at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The merged keys, without the sections of other services."""
        above = self.current_state  # what flags and environment said
        own = read_yaml(Path(above["config"])) if above.get("config") else {}
        defaults = read_yaml(CONFIG_DIR / "default.yaml")
        unknown = set(own) - set(defaults) - set(self.settings_cls.model_fields)
        if unknown:
            raise SettingsError(f"settings: {above['config']}: there is no such key: {', '.join(map(str, unknown))}")
        profile = above.get("profile") or own.get("profile") or defaults["profile"]
        models_dir = above.get("models_dir") or own.get("models_dir") or default_models_dir()
        merged = merge(merge(defaults, read_profile(resolve_profile(profile, models_dir)[0])), own)
        return {key: value for key, value in merged.items() if key in self.settings_cls.model_fields}

    @staticmethod
    def sections() -> Iterator[str]:
        """Every top-level key that exists, whichever service reads it."""
        return iter(read_yaml(CONFIG_DIR / "default.yaml"))


def resolve_profile(name: str, models_dir: Path | str) -> tuple[str, str]:
    """The profile itself, or the best one for `auto`, and why."""
    if name != "auto":
        return name, "asked for"
    from services.common.profiles import best_profile  # noqa: PLC0415  # it reads models.toml, found by this file

    choice = best_profile(Path(models_dir).expanduser())
    return choice.name, choice.why


def profile_path(name: str) -> Path:
    """Where the profile's file lies."""
    return CONFIG_DIR / "profiles" / f"{name}.yaml"


def read_profile(name: str) -> dict[str, Any]:
    """The profile's keys, or an error that lists the profiles there are."""
    if not profile_path(name).is_file():
        known = ", ".join(sorted(path.stem for path in (CONFIG_DIR / "profiles").glob("*.yaml")))
        raise SettingsError(f"settings: profile: there is no profile {name!r}; there is: auto, {known}")
    return read_yaml(profile_path(name))


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings: {path} cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings: {path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"settings: {path} must hold keys and values")
    return content


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`; mappings are merged, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged

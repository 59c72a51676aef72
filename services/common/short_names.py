"""Short names of settings in the environment: STT_URL for SUPERWHISPER_ORCHESTRATOR__STT__ADDRESS, and its like."""

import os
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from services.common.addresses import parse_addresses
from services.common.errors import SettingsError

_SECTION = "orchestrator"
_STAGES = ("stt", "llm", "tts")


class ShortNames(PydanticBaseSettingsSource):
    """Where the stages are, as a source above the files and below the long names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Demanded by the base class; this source answers for all fields at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The addresses that are set. A variable that is empty counts as none."""
        if _SECTION not in self.settings_cls.model_fields:
            return {}
        given = {stage: os.environ.get(f"{stage.upper()}_URL", "").strip() for stage in _STAGES}
        stages = {stage: {"address": _checked(stage, text)} for stage, text in given.items() if text}
        return {_SECTION: stages} if stages else {}


def _checked(stage: str, text: str) -> str:
    try:
        return ",".join(parse_addresses(text))
    except ValueError as error:
        raise SettingsError(f"settings: the environment variable {stage.upper()}_URL: {error}") from error

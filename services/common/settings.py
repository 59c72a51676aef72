"""Settings: config/default.yaml < profile < file < environment (STT_URL < SUPERWHISPER_STT__MODEL) < flags.

Each process reads the section that bears its name and what all share; a wrong key or value anywhere in them stops the
start and names itself. Nothing reads the environment at import.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, CliSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from services.common.config_files import LayeredFiles, default_models_dir, resolve_profile
from services.common.errors import SettingsError
from services.common.security import ClientCredentials, ServerSecurity
from services.common.short_names import ShortNames

PREFIX = "SUPERWHISPER_"
_DELIMITER = "__"
# Read by the launcher and the tests, not settings of a service.
_OTHER_VARIABLES = frozenset({"SUPERWHISPER_RUN_DIR"})


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """Where a service listens, and whom it serves."""

    host: str = Field("127.0.0.1", description="Address to listen on. Any but loopback demands TLS and a token.")
    port: int = Field(ge=0, le=65535, description="gRPC port.")
    metrics_host: str = Field("127.0.0.1", description="Address of the metrics. They are shown to whoever reaches it.")
    metrics_port: int = Field(ge=0, le=65535, description="Prometheus port; 0 turns metrics off.")
    drain_s: float = Field(10, ge=0, description="How long calls may go on after SIGTERM.")
    default_deadline_s: float = Field(30, gt=0, description="Longest a call may take that has no limit of its own.")
    unread_limit_s: float = Field(5, gt=0, description="How long a caller may leave a stream unread that has more.")
    security: ServerSecurity = Field(ServerSecurity(), description="TLS and token.")

    @property
    def address(self) -> str:
        """Host and port, as gRPC reads them."""
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return f"{host}:{self.port}"


class PeerSettings(Section):
    """Where another service is, and how to be let in."""

    address: str = Field(description="host:port of the service.")
    credentials: ClientCredentials = Field(ClientCredentials(), description="TLS and token to connect with.")


class LogSettings(Section):
    """What the service tells of itself. Never what people say."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity written.")
    format: Literal["json", "text"] = Field("text", description="json for machines, text for people.")


class TracingSettings(Section):
    """Where traces go. They tell which calls took how long; never what people say."""

    endpoint: str = Field("", description="A collector of OTLP over HTTP, http://127.0.0.1:4318 say; empty: no traces.")

    @field_validator("endpoint")
    @classmethod
    def _names_a_collector(cls, endpoint: str) -> str:
        parts = urlsplit(endpoint.rstrip("/"))
        is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or parts.path.endswith("/v1/traces"))
        if endpoint and not (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and is_plain):
            raise ValueError("must be empty, or like http://HOST:PORT, to which /v1/traces is added")
        return endpoint


class ProcessSettings(BaseSettings):
    """What every process reads; each adds the section of its own name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_DELIMITER, extra="forbid", frozen=True, cli_hide_none_type=True
    )

    profile: str = Field("auto", description="rtx3090, cpu, embedded, or auto: the best that can run here.")
    config: Path | None = Field(None, description="A YAML file whose keys win over the profile's.")
    models_dir: Path = Field(default_factory=default_models_dir, description="Where models lie.")
    log: LogSettings = Field(LogSettings(), description="Logging.")
    tracing: TracingSettings = Field(TracingSettings(), description="Traces.")

    _profile_reason: str = PrivateAttr("")

    @property
    def profile_reason(self) -> str:
        """Why it is this profile."""
        return self._profile_reason

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_profile(cls, values: dict[str, Any], make: ModelWrapValidatorHandler[Self]) -> Self:
        """Whoever asked for `auto`, a flag included, gets the profile that it came to."""
        models_dir = values.get("models_dir") or default_models_dir()
        name, why = resolve_profile(values.get("profile", "auto"), models_dir)
        settings = make({**values, "profile": name})
        settings._profile_reason = why  # noqa: SLF001  # its own
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Called by pydantic-settings. Flags come in as the first source, from `load`."""
        return (init_settings, env_settings, ShortNames(settings_cls), LayeredFiles(settings_cls))


SettingsT = TypeVar("SettingsT", bound=ProcessSettings)


def load(cls: type[SettingsT], arguments: Sequence[str] = (), program: str | None = None) -> SettingsT:
    """Reads the settings of a process, or raises an error that names the key."""
    _refuse_unknown_variables(cls, os.environ)
    try:
        flags: CliSettingsSource[Any] = CliSettingsSource(
            cls, cli_prog_name=program, cli_parse_args=list(arguments), cli_kebab_case=False
        )
        return cls(_cli_settings_source=flags)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from error
    except SourceError as error:  # a list or mapping that is not JSON; of a variable it names only the section
        variables = ", ".join(name for name in os.environ if name.upper().startswith(PREFIX)) or "none"
        raise SettingsError(f"settings: {error} ({error.__cause__}; variables set: {variables})") from error


def _sentence(problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"settings: {key}: there is no such key"
    # Of a whole section nothing is shown: it may hold a password.
    shown = problem["type"] != "missing" and not isinstance(problem["input"], Mapping)
    given = f" (it is {problem['input']!r})" if shown else ""
    return f"settings: {key}: {problem['msg']}{given}"


def _refuse_unknown_variables(cls: type[BaseSettings], environment: Mapping[str, str]) -> None:
    """pydantic-settings ignores variables that it does not know; a typing error deserves better."""
    sections = set(LayeredFiles.sections())
    for name in environment:
        if not name.upper().startswith(PREFIX) or name.upper() in _OTHER_VARIABLES:
            continue
        path = name[len(PREFIX) :].lower().split(_DELIMITER)
        if path[0] in sections - set(cls.model_fields):
            continue  # another service's
        if not _has_field(cls, path):
            raise SettingsError(f"settings: the environment variable {name} names no setting")


def _has_field(cls: type[BaseModel], path: Sequence[str]) -> bool:
    field = cls.model_fields.get(path[0])
    if field is None:
        return False
    inner = field.annotation
    if len(path) == 1 or not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return True
    return _has_field(inner, path[1:])

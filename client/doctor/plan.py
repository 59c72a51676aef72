"""What is to be checked: the profile, where the client finds its services, and which of them belong to this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from client.config import ClientSection, ClientSettings
from client.options import Common
from client.peers import NAMES, Peer
from services.common import settings
from services.common.config_files import CONFIG_DIR, default_models_dir, read_yaml, resolve_profile
from services.common.errors import SettingsError
from services.common.gpu import GpuSettings
from services.common.security import is_loopback
from services.common.settings import ServerSettings

ROLES = ("stt", "llm", "tts", "orchestrator")


@dataclass(frozen=True)
class LocalService:
    """A service of this machine, as its settings have it."""

    name: str
    server: ServerSettings
    wish: GpuSettings | None = None  # None: it needs no graphics card
    flaw: str = ""  # what is wrong with its settings
    absence: str = ""  # the package without which it cannot even read them


@dataclass(frozen=True)
class Plan:
    """All that the checks must know of the settings."""

    profile: str
    profile_reason: str
    models_dir: Path
    client: ClientSection
    services: tuple[LocalService, ...]  # empty where they are elsewhere
    flaw: str = ""  # what is wrong with the client's settings

    @property
    def is_client_alone(self) -> bool:
        """Whether the services are on another machine."""
        return not self.services

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The services that are asked how they are: all of this machine, or those that are elsewhere."""
        peers = (Peer.of(name, self.client) for name in NAMES)
        return tuple(peer for peer in peers if self.services or not _is_here(peer.address))

    @property
    def wishes(self) -> dict[str, GpuSettings]:
        """The services that need a graphics card, and which one."""
        return {service.name: service.wish for service in self.services if service.wish is not None}


def made_plan(given: Common, profile: str) -> Plan:
    """Reads all settings. It blocks: `auto` asks the graphics driver and looks into the models folder."""
    of_file = ("--config", str(given.config)) if given.config else ()
    of_profile = ("--profile", profile) if profile else ()
    try:
        known = settings.load(ClientSettings, (*of_file, *of_profile), program="superwhisper")
        client = given.client(*of_profile)
    except SettingsError as error:
        return _without_settings(profile, str(error))
    # What `auto` came to is passed on: each service would ask the driver again.
    flags = (*of_file, "--profile", known.profile, "--models_dir", str(known.models_dir))
    return Plan(
        profile=known.profile,
        profile_reason=known.profile_reason,
        models_dir=known.models_dir,
        client=client,
        services=tuple(_service(name, flags) for name in _roles_here(client)),
    )


def _roles_here(client: ClientSection) -> tuple[str, ...]:
    """A client whose assistant is elsewhere leaves the other addresses as they were, and they mean nothing."""
    if not _is_here(client.assistant.address):
        return ()
    addresses = {"orchestrator": client.assistant.address}
    return tuple(role for role in ROLES if _is_here(addresses.get(role) or getattr(client, role).address))


def _without_settings(profile: str, flaw: str) -> Plan:
    """The rest is checked for what the program does by default."""
    defaults = read_yaml(CONFIG_DIR / "default.yaml")
    models_dir = default_models_dir()
    name, why = resolve_profile(profile or defaults["profile"], models_dir)
    client = ClientSection.model_validate(defaults["client"])
    services = tuple(_service(role, ("--profile", name)) for role in ROLES)
    return Plan(name, why, models_dir, client, services, flaw)


def _service(name: str, arguments: Sequence[str]) -> LocalService:
    """A service's settings are found by its name: the client knows none, and it may not be installed."""
    try:
        module = import_module(f"services.{name}.config")
        whole = settings.load(getattr(module, f"{name.title()}Settings"), arguments, program="superwhisper")
    except ImportError as error:
        return LocalService(name, _usual_server(name), absence=error.name or str(error))
    except SettingsError as error:
        return LocalService(name, _usual_server(name), flaw=str(error))
    section: Any = getattr(whole, name)
    return LocalService(name, section.server, section.gpu if getattr(section, "on_gpu", None) else None)


def _usual_server(name: str) -> ServerSettings:
    defaults: Mapping[str, Any] = read_yaml(CONFIG_DIR / "default.yaml")
    return ServerSettings.model_validate(defaults[name]["server"])


def _is_here(address: str) -> bool:
    return is_loopback(address.rpartition(":")[0])

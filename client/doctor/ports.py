"""The ports of the services: free, taken by them, or by a stranger."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import httpx

from client.doctor.check import Finding, ok, problem
from client.doctor.plan import LocalService
from client.doctor.port_owner import port_owner
from client.messages import tr
from client.peers import Peer
from client.status import ask_until
from services.common.channels import Connection

_LIMIT_S = 2.0
_UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing is bound there: it is how others write it


class Use(Enum):
    """Who has a port."""

    FREE = auto()
    OURS = auto()
    STRANGER = auto()
    FORBIDDEN = auto()


@dataclass(frozen=True)
class Port:
    """A port of a service."""

    service: LocalService
    number: int
    host: str
    is_metrics: bool

    @property
    def setting(self) -> str:
        """What moves it elsewhere."""
        return f"--{self.service.name}.server.{'metrics_port' if self.is_metrics else 'port'}"


async def look_at_ports(services: Sequence[LocalService]) -> Sequence[Finding]:
    """One line for each that a stranger has, and one for all others."""
    ports = [port for service in services for port in _ports(service)]
    uses = await asyncio.gather(*map(_use, ports))
    fine = [(port, use) for port, use in zip(ports, uses, strict=True) if use in (Use.FREE, Use.OURS)]
    wrong = [(port, use) for port, use in zip(ports, uses, strict=True) if use in (Use.STRANGER, Use.FORBIDDEN)]
    findings = [await _trouble(port, use) for port, use in wrong]
    for use, name in ((Use.FREE, tr("free")), (Use.OURS, tr("used by our services"))):
        numbers = [port.number for port, found in fine if found is use]
        if numbers:
            findings.append(ok(name, ranges(numbers)))
    return findings


def ranges(numbers: Sequence[int]) -> str:
    """50050, 50051, 50052, 9091 as 50050–50052, 9091."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _ports(service: LocalService) -> list[Port]:
    server = service.server
    both = [
        Port(service, server.port, server.host, is_metrics=False),
        Port(service, server.metrics_port, server.metrics_host, is_metrics=True),
    ]
    return [port for port in both if port.number]


async def _use(port: Port) -> Use:
    host = _UNSPECIFIED.get(port.host, port.host)
    try:
        async with asyncio.timeout(_LIMIT_S):
            _, writer = await asyncio.open_connection(host, port.number)
    except (OSError, TimeoutError):
        return Use.FREE if _can_bind(port) else Use.FORBIDDEN
    writer.close()
    return Use.OURS if await _is_ours(host, port) else Use.STRANGER


def _can_bind(port: Port) -> bool:
    """Nobody answers there; but is it ours to take?"""
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family) as probe:
        if sys.platform != "win32":  # there it would let two programs have one port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except OSError:
            return False
    return True


async def _is_ours(host: str, port: Port) -> bool:
    if port.is_metrics:
        return await _shows_our_metrics(host, port.number)
    address = f"[{host}]:{port.number}" if ":" in host else f"{host}:{port.number}"
    name = "assistant" if port.service.name == "orchestrator" else port.service.name
    (health,) = await ask_until((Peer(name, Connection(address)),), 0)
    # One with TLS does not understand this question, and has its own line among the services.
    return (
        health.state in ("SERVING", "NOT_SERVING", "wants a token") or port.service.server.security.tls_cert is not None
    )


async def _shows_our_metrics(host: str, number: int) -> bool:
    shown = f"[{host}]" if ":" in host else host
    try:
        async with httpx.AsyncClient(timeout=_LIMIT_S, trust_env=False) as web:
            return "grpc_calls_total" in (await web.get(f"http://{shown}:{number}/metrics")).text
    except httpx.HTTPError:
        return False


async def _trouble(port: Port, use: Use) -> Finding:
    name = str(port.number)
    if use is Use.FORBIDDEN:
        found = tr(
            "{address} cannot be listened on: it is reserved, or not this machine's",
            address=f"{port.host}:{port.number}",
        )
        return problem(name, found, tr("take another: {setting} PORT", setting=port.setting))
    owner = await port_owner(port.number)
    found = tr(
        "taken by {owner}, which is not our {service}", owner=owner or tr("another program"), service=port.service.name
    )
    return problem(name, found, tr("stop that program, or take another port: {setting} PORT", setting=port.setting))

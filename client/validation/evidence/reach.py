"""Whether other machines can reach the services: knocks at the addresses that others would use."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from client.messages import tr
from client.validation.evidence.finding import Ageing, Finding, Status, not_measured
from services.common.security import is_loopback

METRICS_PORTS = (9091, 9191, 9192, 9193)
_KNOCK_S = 2.0
_LOOPBACK = "127.0.0.1"
_FAR_AWAY = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # for documentation: nobody is there


async def from_ports(
    grpc_ports: Sequence[int], metrics_ports: Sequence[int], ageing: Ageing, others: Sequence[str] | None = None
) -> list[Finding]:
    """A finding for all that runs, and one for each port that others reach."""
    ports = (*grpc_ports, *metrics_ports)
    running = [port for port in ports if await _answers(_LOOPBACK, port)]
    addresses = own_addresses() if others is None else others
    reached = [(host, port) for host in addresses for port in ports if await _answers(host, port)]
    bad = [(host, port) for host, port in reached if not (port in grpc_ports and await _speaks_tls(host, port))]
    if bad:
        names = ", ".join(f"{host}:{port}" for host, port in bad)
        return [Finding(Status.NO_GO, tr("others reach, without TLS: {names}", names=names), "", ageing.now)]
    if not running and not reached:
        return [not_measured(tr("no service runs here: start them with `make run`"))]
    listed = ", ".join(map(str, running or sorted({port for _, port in reached})))
    knocked = ", ".join(addresses) or tr("none but loopback")
    figure = tr("nothing in clear for others; ports {ports}, knocked at {addresses}", ports=listed, addresses=knocked)
    return [Finding(Status.GO, figure, "", ageing.now)]


def own_addresses() -> list[str]:
    """The addresses under which others know this machine. Nothing is sent to find them."""
    found: dict[str, None] = {}
    with suppress(OSError):  # a machine that does not know its own name
        for *_, address in socket.getaddrinfo(socket.gethostname(), None):
            found[str(address[0])] = None
    for target, family in _FAR_AWAY:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:  # no such network
            probe.connect((target, 9))
            found[str(probe.getsockname()[0])] = None
    return [address for address in found if not is_loopback(address) and "%" not in address]


async def _answers(host: str, port: int) -> bool:
    return await _connects(host, port, None)


async def _speaks_tls(host: str, port: int) -> bool:
    """A service that takes TLS there asks for a token as well: it does not start without."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whether, not with whom
    context.set_alpn_protocols(["h2"])
    return await _connects(host, port, context)


async def _connects(host: str, port: int, context: ssl.SSLContext | None) -> bool:
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError):  # refused, filtered, or no TLS
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True

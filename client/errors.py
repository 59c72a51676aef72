"""Failures as one sentence for the person at the terminal."""

import errno
from collections.abc import Callable

import grpc

from client.messages import tr
from services.common.errors import RemoteError, StartupError
from services.common.security import is_loopback
from services.common.status import from_rpc_error


class CommandError(StartupError):
    """Ends the command with this sentence and exit code 1. `field` is what the service found fault with, if it said."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def as_sentence(error: grpc.aio.AioRpcError, service: str, address: str, *, had_answered: bool) -> CommandError:
    """What went wrong with a call, and what to do about it."""
    remote = from_rpc_error(error, service)
    if remote.detailed_reason == "CONNECTION_LOST":
        return CommandError(_unreachable(service, address, had_answered=had_answered))
    advise = _ADVICE.get(remote.status)
    if advise is not None and remote.detailed_reason in {remote.status.name, "UNAUTHENTICATED"}:
        return CommandError(advise(service, address, remote))
    told = tr("{service} at {address}: {message}", service=service, address=address, message=remote.message)
    return CommandError(told, remote.field)


def reason_of(error: OSError) -> str:
    """Why the system refused, in the person's language where it is one of the usual reasons."""
    usual = {
        errno.ENOENT: tr("No such file or directory"),
        errno.EACCES: tr("Permission denied"),
        errno.EPERM: tr("Operation not permitted"),
        errno.EISDIR: tr("Is a directory"),
        errno.ENOTDIR: tr("Not a directory"),
        errno.ENOSPC: tr("No space left on device"),
        errno.EROFS: tr("Read-only file system"),
        errno.ENAMETOOLONG: tr("File name too long"),
        errno.EIO: tr("Input/output error"),
    }
    return usual.get(error.errno or 0) or error.strerror or str(error)


def _unreachable(service: str, address: str, *, had_answered: bool) -> str:
    host = address.rpartition(":")[0]
    here = is_loopback(host)
    if had_answered:
        look = tr("`superwhisper status` tells whether it is back") if here else tr("is the network up?")
        return tr(
            "the connection to {service} at {address} was lost; {look}", service=service, address=address, look=look
        )
    mend = tr("start it with `make run`") if here else tr("check the address, and the TLS settings of the client")
    return tr(
        "{service} does not answer at {address}: is it running? {mend}", service=service, address=address, mend=mend
    )


def _unauthenticated(service: str, address: str, remote: RemoteError) -> str:
    return tr(
        "{service} at {address} wants a token: name its file in credentials.token_file of the client's settings",
        service=service,
        address=address,
    )


def _not_that_service(service: str, address: str, remote: RemoteError) -> str:
    return tr("what listens at {address} is not {service}: check the address", address=address, service=service)


def _too_slow(service: str, address: str, remote: RemoteError) -> str:
    return tr(
        "{service} at {address} took too long; try again, or allow more with client.request_limit_s",
        service=service,
        address=address,
    )


# For statuses that gRPC itself made; where the service gave a reason, its own sentence is the best.
_ADVICE: dict[grpc.StatusCode, Callable[[str, str, RemoteError], str]] = {
    grpc.StatusCode.UNAUTHENTICATED: _unauthenticated,
    grpc.StatusCode.UNIMPLEMENTED: _not_that_service,
    grpc.StatusCode.DEADLINE_EXCEEDED: _too_slow,
}

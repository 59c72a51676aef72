"""Errors on the wire: a gRPC status with google.rpc.ErrorInfo, so that programs need not parse sentences."""

from typing import NoReturn

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.common.errors import CallError, RemoteError

DOMAIN = "superwhisper"
# The sentence travels twice, once with three bytes for each that is not ASCII; beyond 8 KiB of metadata gRPC gives up.
_MAX_MESSAGE_BYTES = 1500


async def abort(context: grpc.aio.ServicerContext[object, object], error: CallError) -> NoReturn:
    """Ends the call with the error's status; what a program needs to know goes into the details."""
    code, name = error.status.value
    status = status_pb2.Status(code=code, message=_shortened(error.message))
    info = error_details_pb2.ErrorInfo(reason=error.detailed_reason, domain=DOMAIN)
    info.metadata["retryable"] = str(error.retryable).lower()
    if error.field:
        info.metadata["field"] = error.field
    status.details.add().Pack(info)
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
    raise AssertionError(f"abort with {name} returned")  # pragma: no cover


def _shortened(message: str) -> str:
    encoded = message.encode(errors="replace")
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return encoded[:_MAX_MESSAGE_BYTES].decode(errors="ignore") + "…"


def from_rpc_error(error: grpc.aio.AioRpcError, peer: str) -> RemoteError:
    """The error that a service answered with, or that the connection to it made."""
    message = error.details() or error.code().name
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # AioRpcError has what it reads of a Call
    if status is not None:
        for detail in status.details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return RemoteError(
                    error.code(),
                    message,
                    reason=info.reason,
                    retryable=info.metadata["retryable"] == "true",
                    field=info.metadata["field"],
                )
    lost = error.code() is grpc.StatusCode.UNAVAILABLE
    if lost:
        message = f"{peer} does not answer"
    return RemoteError(error.code(), message, reason="CONNECTION_LOST" if lost else error.code().name, retryable=lost)

"""The health of a server, as any gRPC program asks for it."""

from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health_stub(channel: grpc.aio.Channel) -> Any:
    """Its type stubs leave the methods out."""
    return health_pb2_grpc.HealthStub(channel)


async def check(channel: grpc.aio.Channel, service: str = "", timeout_s: float = 20) -> int:
    """What Check says."""
    request = health_pb2.HealthCheckRequest(service=service)
    response = await health_stub(channel).Check(request, timeout=timeout_s)
    return int(response.status)


def watch(channel: grpc.aio.Channel, service: str = "", **options: Any) -> Any:
    """The call of Watch."""
    return health_stub(channel).Watch(health_pb2.HealthCheckRequest(service=service), **options)

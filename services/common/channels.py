"""Channel and server options, and connections to other services. Every number here was measured (docs/adr/0003)."""

import json
from dataclasses import dataclass, field
from typing import TypedDict

import grpc

from services.common import calls
from services.common.security import ClientCredentials

MAX_MESSAGE_BYTES = 33 * 1024 * 1024  # a whole recording (32 MiB) and what surrounds it

# A frozen peer (stopped process, half-open connection) is noticed within about two seconds only with all three;
# without the ping timeout it takes a minute, whatever the keepalive says.
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 1000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.http2.ping_timeout_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
# Without it a caller that does not read still takes 4 MB (95 s of audio) before a write blocks; with it 61 kB.
_FLOW = (("grpc.http2.bdp_probe", 0),)
_SIZES = (("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES))

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    *_KEEPALIVE,
    *_FLOW,
    *_SIZES,
    ("grpc.so_reuseport", 0),  # else a second server binds the same port and silently takes half of the calls
    ("grpc.http2.min_ping_interval_without_data_ms", 500),  # allow the pings that our channels send
)

_SERVICE_CONFIG = {
    # Addresses behind one name share the calls, and the death of one is no event.
    "loadBalancingConfig": [{"round_robin": {}}],
    # Applies only until the first response; a turn is never replayed blindly.
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}

CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    *_KEEPALIVE,
    *_FLOW,
    *_SIZES,
    # A service that was restarted is found again at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.enable_http_proxy", 0),  # http_proxy is for the web; gRPC would send even loopback through it
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
)


class CallOptions(TypedDict):
    """What every outgoing call is made with."""

    timeout: float
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Connection:
    """A connection to a service, and how calls are made over it."""

    address: str
    credentials: ClientCredentials = field(default_factory=ClientCredentials)

    def open(self, *, retries: bool = True) -> grpc.aio.Channel:
        """A channel; it connects when it is first used. The caller closes it. Without `retries` a call is made once."""
        secure = self.credentials.channel_credentials()
        options = (*CHANNEL_OPTIONS, ("grpc.enable_retries", int(retries)))
        if secure is None:
            return grpc.aio.insecure_channel(self.address, options=options)
        return grpc.aio.secure_channel(self.address, secure, options=options)

    def call_options(self, limit_s: float) -> CallOptions:
        """Deadline, ids and token of one call: `stub.Method(request, **connection.call_options(5))`."""
        return CallOptions(
            timeout=calls.remaining(limit_s),
            metadata=(*calls.outgoing_metadata(), *self.credentials.metadata),
        )

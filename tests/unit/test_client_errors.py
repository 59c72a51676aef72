"""Failures as sentences."""

import grpc
import pytest

from client.errors import as_sentence

HERE, THERE = "127.0.0.1:50050", "voice.example:50050"


def sentence(code: grpc.StatusCode, details: str = "", address: str = HERE, *, had_answered: bool = False) -> str:
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)
    return str(as_sentence(error, "the assistant", address, had_answered=had_answered))


@pytest.mark.parametrize(
    ("address", "had_answered", "expected"),
    [
        (HERE, False, "the assistant does not answer at 127.0.0.1:50050: is it running? start it with `make run`"),
        (THERE, False, "check the address, and the TLS settings of the client"),
        (HERE, True, "the connection to the assistant at 127.0.0.1:50050 was lost; `superwhisper status` tells"),
        (THERE, True, "was lost; is the network up?"),
        ("localhost:1", False, "make run"),
        ("[::1]:50050", False, "make run"),
    ],
)
def test_a_connection_that_is_none(address: str, had_answered: bool, expected: str) -> None:
    told = sentence(grpc.StatusCode.UNAVAILABLE, "recvmsg: reset by peer", address, had_answered=had_answered)
    assert expected in told
    assert "recvmsg" not in told


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "wants a token: name its file in credentials.token_file"),
        (grpc.StatusCode.UNIMPLEMENTED, "is not the assistant: check the address"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "took too long"),
        (grpc.StatusCode.INTERNAL, "the assistant at 127.0.0.1:50050: what happened"),
    ],
)
def test_what_grpc_itself_says(code: grpc.StatusCode, expected: str) -> None:
    assert expected in sentence(code, "what happened")

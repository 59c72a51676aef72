"""Handlers are async: on grpcio's asyncio server a synchronous stream handler hangs when its client cancels.

The sources are read, not imported: what the services import does not all fit into one process.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from superwhisper.assistant.v1 import assistant_pb2
from superwhisper.llm.v1 import llm_pb2
from superwhisper.stt.v1 import stt_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.shared_data import REPOSITORY

_SERVICES = {
    "stt": stt_pb2.DESCRIPTOR.services_by_name["SttService"],
    "llm": llm_pb2.DESCRIPTOR.services_by_name["LlmService"],
    "tts": tts_pb2.DESCRIPTOR.services_by_name["TtsService"],
    "orchestrator": assistant_pb2.DESCRIPTOR.services_by_name["AssistantService"],
}


def _is_generator(function: ast.AsyncFunctionDef) -> bool:
    return any(isinstance(node, ast.Yield) for node in _own_nodes(function))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """All inside of a function but for what stands inside of functions in it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own_nodes(node)


def _servicer(source: str, service: ServiceDescriptor) -> ast.ClassDef:
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith(f"_pb2_grpc.{service.name}Servicer") for base in node.bases)
    ]
    assert len(found) == 1
    return found[0]


def _wrong_handlers(source: str, service: ServiceDescriptor) -> list[str]:
    """Methods that are missing, not async, or not of the kind that the proto says."""
    own = {node.name: node for node in _servicer(source, service).body if isinstance(node, ast.AsyncFunctionDef)}
    return [
        method.name
        for method in service.methods
        if method.name not in own or _is_generator(own[method.name]) != method.server_streaming
    ]


def test_no_service_is_left_out() -> None:
    assert {path.parent.name for path in (REPOSITORY / "services").glob("*/servicer.py")} == set(_SERVICES)


@pytest.mark.parametrize("name", _SERVICES)
def test_every_method_is_an_async_function_or_generator(name: str) -> None:
    assert _wrong_handlers(_source(name), _SERVICES[name]) == []


def _source(name: str) -> str:
    path: Path = REPOSITORY / "services" / name / "servicer.py"
    return path.read_text()


def test_this_test_would_notice() -> None:
    sloppy = """
class Sloppy(tts_pb2_grpc.TtsServiceServicer):
    def Synthesize(self, request, context):
        yield 1
    def ListVoices(self, request, context):
        return 1
    async def StreamingSynthesize(self, requests, context):
        async def inner():
            yield 1
        return inner()
"""
    wrong = _wrong_handlers(sloppy, _SERVICES["tts"])
    assert wrong == ["StreamingSynthesize", "Synthesize", "ListVoices", "GetCapabilities"]

"""The command line of the scripted services: see the package."""

import argparse
import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from prometheus_client import CollectorRegistry

from services.common.lifecycle import MethodLimits, Service, serve
from services.common.settings import ServerSettings
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.fakes.scripted_services.ears import ScriptedEars
from tests.fakes.scripted_services.mind import ScriptedMind
from tests.fakes.scripted_services.mouth import ScriptedMouth
from tests.fakes.scripted_services.script import EarsSpeed, MindSpeed, MouthSpeed
from tests.support.scripted import for_ever, nothing

_STREAM_LIMIT_S = 3600.0
_SPEEDS: Mapping[str, type[EarsSpeed | MindSpeed | MouthSpeed]] = {
    "stt": EarsSpeed,
    "llm": MindSpeed,
    "tts": MouthSpeed,
}


def service_of(speed: EarsSpeed | MindSpeed | MouthSpeed) -> Service:
    """The service that is so fast."""
    if isinstance(speed, EarsSpeed):
        ears = ScriptedEars(speed)
        return _service(
            stt_pb2.DESCRIPTOR.services_by_name["SttService"],
            lambda server: stt_pb2_grpc.add_SttServiceServicer_to_server(ears, server),
        )
    if isinstance(speed, MindSpeed):
        mind = ScriptedMind(speed)
        return _service(
            llm_pb2.DESCRIPTOR.services_by_name["LlmService"],
            lambda server: llm_pb2_grpc.add_LlmServiceServicer_to_server(mind, server),
        )
    mouth = ScriptedMouth(speed)
    return _service(
        tts_pb2.DESCRIPTOR.services_by_name["TtsService"],
        lambda server: tts_pb2_grpc.add_TtsServiceServicer_to_server(mouth, server),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM."""
    options = vars(_parser().parse_args(arguments))
    name, port = options.pop("service"), options.pop("port")
    server = ServerSettings(port=port, metrics_port=0, drain_s=1)
    asyncio.run(serve(service_of(_SPEEDS[name](**options)), server))


def flags(speed: EarsSpeed | MindSpeed | MouthSpeed) -> list[str]:
    """The arguments, without the port, of a process that is so fast."""
    name = next(name for name, kind in _SPEEDS.items() if isinstance(speed, kind))
    values = [(field.name, getattr(speed, field.name)) for field in dataclasses.fields(speed)]
    return [name, *(text for key, value in values for text in (_flag(key), str(value)))]


def _service(descriptor: ServiceDescriptor, register: Callable[[grpc.aio.Server], None]) -> Service:
    return Service(
        descriptor=descriptor,
        register=register,
        limits={method.name: MethodLimits(_STREAM_LIMIT_S) for method in descriptor.methods},
        start=nothing,
        ready=lambda: True,
        keep_up=for_ever,
        close=nothing,
        registry=CollectorRegistry(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.scripted_services", description=__doc__)
    kinds = parser.add_subparsers(dest="service", required=True)
    for name, speed in _SPEEDS.items():
        kind = kinds.add_parser(name, help=speed.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        kind.add_argument("--port", type=int, required=True, help="gRPC port, on loopback")
        for field in dataclasses.fields(speed):
            kind.add_argument(_flag(field.name), dest=field.name, type=type(field.default), default=field.default)
    return parser


def _flag(field_name: str) -> str:
    return f"--{field_name.replace('_', '-')}"


if __name__ == "__main__":
    main()

"""What GetCapabilities says of a chain: the domain's status on the wire."""

from collections.abc import Callable, Iterable

from services.common.chain import EngineStatus, EngineT
from superwhisper.common.v1 import capabilities_pb2


def engine_infos(
    status: Iterable[EngineStatus[EngineT]], languages: Callable[[EngineT], Iterable[str]]
) -> list[capabilities_pb2.EngineInfo]:
    """A message an engine."""
    return [_engine_info(engine, languages) for engine in status]


def _engine_info(
    status: EngineStatus[EngineT], languages: Callable[[EngineT], Iterable[str]]
) -> capabilities_pb2.EngineInfo:
    state = capabilities_pb2.ENGINE_STATE_STANDBY if status.engine is None else capabilities_pb2.ENGINE_STATE_READY
    return capabilities_pb2.EngineInfo(
        name=status.name,
        state=capabilities_pb2.ENGINE_STATE_FAILED if status.failure else state,
        detail=status.failure or "",
        language_codes=languages(status.engine) if status.engine is not None else (),
    )

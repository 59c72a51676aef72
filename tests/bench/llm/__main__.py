"""How fast the mind is, and what it costs. `make bench-llm`, or a part of it:

    python -m tests.bench.llm                                     everything, with the model of the embedded profile
    python -m tests.bench.llm throughput --conversations 4        tokens a second, four conversations at a time
    python -m tests.bench.llm first-token --model MODEL.gguf --gpu-layers -1 --batch-tokens 512

Beside it stands llama-cpp-python's own `Llama`, in a process of its own, with as many threads and batches as long.
Other work on the machine slows llama.cpp out of all proportion: measure on one that has nothing else to do.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import grpc

from services.common.channels import Connection
from services.common.config_files import default_models_dir
from services.common.errors import ModelError
from services.common.models.store import ModelStore
from services.llm.llama_options import LlamaOptions
from services.llm.llamacpp import default_threads
from tests.bench.command import bench_parser, parsed, positive, report
from tests.bench.figures import Rows
from tests.bench.llm import cancel, first_token, memory, overhead, throughput
from tests.bench.llm.mind import Mind
from tests.bench.llm.plain import Plain
from tests.support.health import SERVING, check
from tests.support.servers import Child, child_service, free_port
from tests.support.waiting import wait_for

_EMBEDDED = "smollm2-135m-instruct"
_OF_THE_ENGINE = ("first-token", "throughput", "cancel")
_OF_THE_SERVICE = ("overhead", "memory")
_PARTS = (*_OF_THE_ENGINE, *_OF_THE_SERVICE)
_LOAD_LIMIT_S = 180.0  # gigabytes, read twice: the model is tried before it is loaded
_LEAST_CONTEXT = 2048  # twenty turns and a long prompt fit


def main() -> None:
    """Measures, shows tables, and writes JSON where asked to."""
    options = _arguments()
    figures = asyncio.run(_measure(options.parts or _PARTS, options))
    report(figures, options.json)


def _arguments() -> argparse.Namespace:
    parser = bench_parser("tests.bench.llm", __doc__, _PARTS)
    _add_model(parser)
    parser.add_argument("--times", type=positive, default=3, help="how often each first token is timed (default: 3)")
    parser.add_argument("--conversations", type=positive, nargs="+", default=[1, 2, 4, 8], help="at the same time")
    parser.add_argument("--rounds", type=positive, default=5, help="of throughput (default: 5)")
    parser.add_argument("--tokens", type=positive, default=64, help="of each reply of throughput (default: 64)")
    parser.add_argument("--cancels", type=positive, default=60, help="of each kind (default: 60)")
    parser.add_argument("--requests", type=positive, default=200, help="of overhead (default: 200)")
    parser.add_argument(
        "--replies", type=positive, default=1000, help="of memory, and half as many cancels (default: 1000)"
    )
    parser.add_argument(
        "--own-waiting",
        action="store_true",
        help="let Llama's threads wait as they come, not as the mind's do: faster where nothing else runs",
    )
    options = parsed(parser, _PARTS)
    if options.context_tokens < _LEAST_CONTEXT:
        parser.error(f"--context-tokens must be at least {_LEAST_CONTEXT}")
    return options


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="FILE", help=f"a GGUF file in place of {_EMBEDDED}")
    parser.add_argument("--threads", type=positive, default=default_threads(), help="default: one a physical core")
    parser.add_argument("--sequences", type=positive, default=8, help="conversations remembered (default: 8)")
    parser.add_argument("--context-tokens", type=positive, default=2048, help="of each conversation (default: 2048)")
    parser.add_argument("--batch-tokens", type=positive, default=64, help="read in one step (default: 64)")
    parser.add_argument("--gpu-layers", type=int, default=0, help="-1: all of them (default: 0)")


def _model(options: argparse.Namespace) -> Path:
    if options.model is None:
        try:
            return ModelStore(default_models_dir()).path(_EMBEDDED)
        except ModelError as error:
            raise SystemExit(str(error)) from error
    model: Path = options.model.resolve()
    if not model.is_file():
        raise SystemExit(f"--model: there is no file {model}")
    return model


def _llama_options(options: argparse.Namespace) -> LlamaOptions:
    names = ("context_tokens", "sequences", "batch_tokens", "threads", "gpu_layers")
    return LlamaOptions(**{name: getattr(options, name) for name in names})


async def _measure(parts: Sequence[str], options: argparse.Namespace) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    if set(parts) & set(_OF_THE_ENGINE):
        figures |= await _engine(parts, options, _model(options))
    if set(parts) & set(_OF_THE_SERVICE):
        figures |= await _service(parts, options, _model(options))
    return figures


async def _engine(parts: Sequence[str], options: argparse.Namespace, model: Path) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    how = f"{model.stem}, {options.threads} threads, batches of {options.batch_tokens}"
    async with AsyncExitStack() as exits:
        mind = await exits.enter_async_context(Mind.loaded(model, _llama_options(options)))
        if {"first-token", "throughput"} & set(parts):
            loaded = Plain.loaded(model, _llama_options(options), own_waiting=options.own_waiting)
            plain = await exits.enter_async_context(loaded)
        if "first-token" in parts:
            title = f"First token (p50 / max, ms; {how})"
            figures[title] = await first_token.measure(mind, plain, options.times)
        if "throughput" in parts:
            title = f"Tokens a second: the mind's together, Llama's in turn ({how})"
            figures[title] = await throughput.measure(
                mind, plain, options.conversations, options.rounds, options.tokens
            )
        if "cancel" in parts:
            title = f"From a cancel to the end of the work, ms ({how})"
            figures[title] = await cancel.measure(mind, options.batch_tokens, options.cancels)
    return figures


async def _service(parts: Sequence[str], options: argparse.Namespace, model: Path) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    section = {**vars(_llama_options(options)), "model": str(model)}
    metrics_port = free_port()
    flags = (
        *("--llm.engines", '["bench"]', "--llm.llama_cpp", json.dumps({"bench": section})),
        *("--llm.server.metrics_port", str(metrics_port)),
        *("--llm.first_token_limit_s", "60", "--llm.next_token_limit_s", "60"),  # a busy machine is no failure
    )
    async with child_service("llm", *flags, until_serving=False) as mind:
        await wait_for(partial(_serves, mind), "the service, which loads the model", _LOAD_LIMIT_S)
        if "overhead" in parts:
            title = "Up to the first text of a prompt that is known but for its last token, ms"
            figures[title] = await overhead.measure(mind, metrics_port, options.requests)
        if "memory" in parts:
            figures["Memory"] = await memory.measure(mind, options.replies, options.replies // 2)
    return figures


async def _serves(mind: Child) -> bool:
    if mind.process.poll() is not None:
        raise SystemExit(f"the service has ended:\n{mind.output()}")
    async with Connection(mind.address).open() as channel:
        try:
            return await check(channel) == SERVING
        except grpc.aio.AioRpcError:
            return False  # it does not listen yet


if __name__ == "__main__":
    main()

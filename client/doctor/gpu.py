"""Graphics cards: which there are, which one the services would take, and how it is to be called."""

from collections.abc import Mapping, Sequence

from client.doctor.check import Finding, not_applicable, ok, problem
from client.doctor.outside import in_thread, run_program
from client.messages import tr
from services.common.errors import GpuError
from services.common.gpu import GB, Gpu, GpuSettings, OpenNvml, choose, found_gpus
from services.common.nvml import open_nvml

_THE_CARD = "RTX 3090"  # what this program is made for


async def look_at_gpus(wishes: Mapping[str, GpuSettings], open_driver: OpenNvml = open_nvml) -> Sequence[Finding]:
    """The cards, then each service that needs one."""
    try:
        gpus = await in_thread(lambda: found_gpus(open_driver))
    except GpuError as error:
        return [_no_driver(wishes, str(error))]
    if not gpus and not wishes:
        return [not_applicable(tr("cards"), tr("no NVIDIA card, and none is needed"))]
    cards = [ok(tr("card {index}", index=gpu.index), _described(gpu)) for gpu in gpus]
    return [
        *cards,
        *await _driver(gpus),
        *_the_card(gpus),
        *(_choice(name, wish, gpus) for name, wish in wishes.items()),
    ]


def _no_driver(wishes: Mapping[str, GpuSettings], why: str) -> Finding:
    if not wishes:
        return not_applicable(tr("driver"), tr("none, and none is needed for this profile"))
    mend = tr(
        "install NVIDIA's driver (Ubuntu: {command}), or use: {other}",
        command="sudo ubuntu-drivers install",
        other="--profile cpu",
    )
    return problem(tr("driver"), tr("{services} need a card, but {why}", services=", ".join(wishes), why=why), mend)


def _described(gpu: Gpu) -> str:
    free, total = gpu.free_bytes / GB, gpu.total_bytes / GB
    return tr("{name}, {uuid}, {free:.1f} of {total:.1f} GB free", name=gpu.name, uuid=gpu.uuid, free=free, total=total)


async def _driver(gpus: Sequence[Gpu]) -> list[Finding]:
    """Its version, as nvidia-smi tells it: it comes with every driver."""
    ended = await run_program("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    if ended is None or ended.code or not gpus:
        return []
    return [ok(tr("driver"), ended.out.splitlines()[0].strip())]


def _the_card(gpus: Sequence[Gpu]) -> list[Finding]:
    """Which number it has: with several cards, that is what people get wrong."""
    found = [gpu for gpu in gpus if _THE_CARD in gpu.name]
    if not found or len(gpus) == 1:
        return []
    numbers = ", ".join(str(gpu.index) for gpu in found)
    return [
        ok(_THE_CARD, tr("it is number {numbers}, as nvidia-smi counts; CUDA may count otherwise", numbers=numbers))
    ]


def _choice(service: str, wish: GpuSettings, gpus: Sequence[Gpu]) -> Finding:
    try:
        gpu = choose(gpus, wish)
    except GpuError as error:
        return problem(
            service,
            str(error),
            tr(
                "free the card (nvidia-smi shows who uses it), name another (--{service}.gpu.name), or use: {other}",
                service=service,
                other="--profile cpu",
            ),
        )
    return ok(service, tr("takes number {index}, {name}", index=gpu.index, name=gpu.name))

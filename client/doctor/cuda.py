"""The CUDA libraries that the engines load, tried as they would: in a process of its own."""

import sys
from collections.abc import Collection, Sequence

from client.doctor.check import Finding, not_applicable, ok, problem
from client.doctor.outside import in_thread, run_python
from client.messages import tr
from services.common.errors import GpuError
from services.common.gpu import OpenNvml, found_gpus
from services.common.nvml import open_nvml

# What CTranslate2 4.5 and later loads: cuBLAS of CUDA 12, and of cuDNN 9 the part with the convolutions.
_LIBRARIES = {
    "linux": {"cuBLAS 12": "libcublas.so.12", "cuDNN 9": "libcudnn_cnn.so.9"},
    "win32": {"cuBLAS 12": "cublas64_12.dll", "cuDNN 9": "cudnn_cnn64_9.dll"},
}
_PACKAGES = {"cuBLAS 12": "nvidia-cublas-cu12", "cuDNN 9": "nvidia-cudnn-cu12"}
_LOAD = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
_OFFLOADS = "import llama_cpp, sys; sys.exit(0 if llama_cpp.llama_supports_gpu_offload() else 3)"
_NO_GPU_BUILD = 3


async def look_at_cuda(
    services: Collection[str], open_driver: OpenNvml = open_nvml, platform: str = sys.platform
) -> Sequence[Finding]:
    """What the services that need a card load; `services` are those."""
    if not services:
        return [not_applicable("CUDA", tr("no engine of this profile uses a graphics card"))]
    if not await in_thread(lambda: _has_card(open_driver)):
        return [not_applicable("CUDA", tr("there is no NVIDIA card that could use it"))]
    findings = []
    if "stt" in services:
        findings += [await _library(name, file) for name, file in _LIBRARIES.get(platform, {}).items()]
    if "llm" in services:
        findings.append(await _llama())
    return findings


def _has_card(open_driver: OpenNvml) -> bool:
    try:
        return bool(found_gpus(open_driver))
    except GpuError:
        return False


async def _library(name: str, file: str) -> Finding:
    ended = await run_python(_LOAD, file)
    if ended.code == 0:
        return ok(name, tr("{file} can be loaded", file=file))
    mend = tr("{command}, and its folder into LD_LIBRARY_PATH", command=f"pip install {_PACKAGES[name]}")
    return problem(name, ended.last_line, mend)


async def _llama() -> Finding:
    ended = await run_python(_OFFLOADS)
    if ended.code == 0:
        return ok("llama.cpp", tr("it was built for the graphics card"))
    found = tr("it was built for the processor alone") if ended.code == _NO_GPU_BUILD else ended.last_line
    return problem("llama.cpp", found, 'CMAKE_ARGS="-DGGML_CUDA=on" make setup')

"""Docker or Podman, for those who run the services in containers. Nobody has to: so nothing here is a problem."""

import json
from collections.abc import Sequence
from typing import Any

from client.doctor.check import Finding, not_applicable, ok, warning
from client.doctor.outside import Ended, run_program
from client.messages import tr


async def look_at_containers(*, needs_gpu: bool) -> Sequence[Finding]:
    """The runtime, whether it answers, its compose, and whether it hands out the graphics card."""
    for runtime in (_Docker(), _Podman()):
        info = await run_program(runtime.program, "info", "--format", runtime.format)
        if info is not None:
            return await _examined(runtime, info, needs_gpu=needs_gpu)
    found = tr("neither docker nor podman; only needed to run the services in containers")
    return [not_applicable(tr("runtime"), found)]


class _Docker:
    program = "docker"
    format = "{{json .}}"
    start = "sudo systemctl start docker"

    def version(self, info: dict[str, Any]) -> str:
        """Empty where the daemon gave none: some clients end well without it."""
        return str(info.get("ServerVersion") or "")


class _Podman:
    program = "podman"
    format = "json"
    start = "podman machine start"

    def version(self, info: dict[str, Any]) -> str:
        """Of podman itself: it has no daemon."""
        return str(info.get("version", {}).get("Version") or "")


async def _examined(runtime: _Docker | _Podman, info: Ended, *, needs_gpu: bool) -> list[Finding]:
    content = _content(info)
    version = runtime.version(content)
    if info.code or not version:
        return [_silent(runtime, info, content)]
    findings = [ok(runtime.program, version), await _compose(runtime.program)]
    if needs_gpu and runtime.program == "docker":
        findings.append(_nvidia(content))
    return findings


def _content(info: Ended) -> dict[str, Any]:
    try:
        content = json.loads(info.out)
    except json.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _silent(runtime: _Docker | _Podman, info: Ended, content: dict[str, Any]) -> Finding:
    complaint = str((content.get("ServerErrors") or [info.last_line])[0])
    if "permission denied" in complaint:
        found = tr("you may not use it: {complaint}", complaint=complaint)
        return warning(runtime.program, found, "sudo usermod -aG docker $USER && newgrp docker")
    return warning(
        runtime.program, tr("it is installed, but does not answer: {complaint}", complaint=complaint), runtime.start
    )


async def _compose(program: str) -> Finding:
    ended = await run_program(program, "compose", "version")
    name = f"{program} compose"
    if ended is not None and ended.code == 0:
        return ok(name, ended.out.strip().splitlines()[0] if ended.out.strip() else tr("there"))
    mend = "sudo apt install docker-compose-plugin" if program == "docker" else "pip install podman-compose"
    return warning(name, tr("it is missing"), mend)


def _nvidia(info: dict[str, Any]) -> Finding:
    """The runtime of the toolkit, or its description of devices (CDI), which newer ones use."""
    devices = json.dumps(info.get("DiscoveredDevices") or [])
    if "nvidia" in (info.get("Runtimes") or {}) or "nvidia.com/gpu" in devices:
        return ok("nvidia", tr("containers can use the graphics card"))
    mend = "sudo apt install nvidia-container-toolkit && sudo nvidia-ctk runtime configure --runtime=docker"
    return warning("nvidia", tr("containers cannot use the graphics card"), mend)

"""Who listens on a port, as far as this system tells a user who is not its administrator."""

import platform
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from client.doctor.outside import in_thread, run_program
from client.messages import tr

_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp
_LOCAL_ADDRESS, _STATE, _INODE = 1, 3, 9  # its columns


async def port_owner(port: int) -> str:
    """The program's name and number; empty where it cannot be seen."""
    system = platform.system()
    if system == "Windows":
        return await _by_netstat(port)
    if system == "Linux":
        return await in_thread(lambda: _by_proc(port))
    return await _by_lsof(port)


def _by_proc(port: int) -> str:
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and sockets & set(_open_files(process)):
            name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
            return _told(name, process.name)
    return ""


def _inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else []
        for columns in map(str.split, lines):
            if columns[_STATE] == _LISTENING and int(columns[_LOCAL_ADDRESS].rpartition(":")[2], 16) == port:
                yield columns[_INODE]


def _open_files(process: Path) -> Iterator[str]:
    with suppress(OSError):  # it is another user's, or it has ended meanwhile
        for file in (process / "fd").iterdir():
            with suppress(OSError):  # this one was closed meanwhile
                yield str(file.readlink())


async def _by_lsof(port: int) -> str:
    ended = await run_program("lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc")
    fields = {line[0]: line[1:] for line in ended.out.splitlines() if line} if ended else {}
    return _told(fields["c"], fields["p"]) if {"c", "p"} <= fields.keys() else ""


async def _by_netstat(port: int) -> str:
    ended = await run_program("netstat", "-ano", "-p", "TCP")
    for columns in map(str.split, ended.out.splitlines() if ended else []):
        if len(columns) == 5 and columns[1].endswith(f":{port}") and columns[2].endswith(":0"):
            return tr("process {pid}", pid=columns[4])
    return ""


def _told(name: str, pid: str) -> str:
    return tr("{name} (process {pid})", name=name, pid=pid)

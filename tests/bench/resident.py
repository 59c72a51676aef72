"""How much memory a process occupies."""

from pathlib import Path


def resident_mb(pid: int) -> float:
    """Its resident set, in units of 2^20 bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) / 1024

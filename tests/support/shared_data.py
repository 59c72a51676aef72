"""The data that lies beside the repository. It may be missing: what needs it skips, and says why."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared"


def shared_data(path: str) -> Path:
    """A file or folder below `shared/`, or a skip with the reason."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{found} is not on this machine")
    return found

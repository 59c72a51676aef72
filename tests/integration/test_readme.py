"""The example that the READMEs show, run as it stands there against real services."""

import re
import subprocess
import sys

import pytest

from tests.support.servers import child_service
from tests.support.shared_data import REPOSITORY

READMES = ("README.md", "README.fr.md")


def example(readme: str) -> str:
    """The only Python in it."""
    [code] = re.findall(r"```python\n(.*?)```", (REPOSITORY / readme).read_text(), re.DOTALL)
    assert isinstance(code, str)
    return code


def test_both_languages_show_the_same_example() -> None:
    english, french = (example(readme) for readme in READMES)
    assert english == french


async def test_the_example_hears_what_it_said() -> None:
    async with child_service("stt") as stt, child_service("tts") as tts:
        code = example("README.md").replace("127.0.0.1:50051", stt.address).replace("127.0.0.1:50053", tts.address)
        result = subprocess.run(  # noqa: ASYNC221  # nothing else runs in this loop
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "what is the best way to learn a new language"


@pytest.mark.parametrize("readme", READMES)
def test_every_file_that_it_points_to_is_there(readme: str) -> None:
    text = (REPOSITORY / readme).read_text()
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []

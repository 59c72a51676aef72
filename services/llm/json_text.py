"""JSON objects out of text that somebody else wrote."""

import json
from typing import Any


def read_object(text: str) -> dict[str, Any]:
    """The object that the text is. ValueError, with a sentence to show, where it is none."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # of a text, not of a type
    return value

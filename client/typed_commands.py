"""What a program may write to the client's stdin: a line of text is a turn, a JSON object is a command."""

import json

from client.controls import Controls
from client.messages import tr

_EXAMPLES = ", ".join(
    ['{"text": "…"}', *(f'{{"command": "{name}"}}' for name in ("interrupt", "mute", "unmute", "press"))]
)


async def obey(line: str, controls: Controls) -> str:
    """Does what the line says; returns what is wrong with it, or nothing."""
    if not line.startswith("{"):
        await controls.type(line)
        return ""
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:  # a number may have too many digits, brackets may be too many
        return tr("not a JSON object: {error}", error=error)
    match asked:
        case {"text": str(text)}:
            await controls.type(text)
        case {"command": "interrupt"}:
            await controls.interrupt()
        case {"command": "mute" | "unmute" as command}:
            await controls.mute(muted=command == "mute")
        case {"command": "press"}:
            await controls.press()
        case _:
            return tr("not a command: {line}; there are: {commands}", line=line[:80], commands=_EXAMPLES)
    return ""

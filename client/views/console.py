"""Where text for people goes, whoever reads it."""

import errno
import os

from rich.console import Console


class PeopleConsole(Console):
    """Raises what is wrong with a pipe that nobody reads any more.

    Rich ends the program there and then, which within a task of asyncio's tells a traceback.
    """

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> None:
        """The reader left."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

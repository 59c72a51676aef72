"""Small neural networks that know one wake word each. The only file that imports pymicro_wakeword."""

from typing import Any

from client.errors import CommandError
from client.messages import tr
from services.common.audio import Samples, encode_pcm


class WakeModel:
    """Hears its word in 2 ms of work for each second of sound: it can listen all day."""

    def __init__(self, model: Any, features: Any) -> None:
        self._model = model
        self._features = features

    @classmethod
    def load(cls, name: str) -> "WakeModel":
        """The model of this word, `okay_nabu` say."""
        library = _library()
        names = [model.value for model in library.Model]
        if name not in names:
            there_is = ", ".join(names)
            raise CommandError(
                tr("there is no wake word {name!r}; there is: {there_is}", name=name, there_is=there_is), "wake_word"
            )
        try:
            return cls(library.MicroWakeWord.from_builtin(library.Model(name)), library.MicroWakeWordFeatures())
        except (OSError, ValueError, RuntimeError) as error:
            raise _unusable(error) from error

    def hears(self, heard: Samples) -> bool:
        """Whether the word was completed in this: sound at 16 kHz, in order."""
        was_heard = False
        for window in self._features.process_streaming(encode_pcm(heard)):  # to the end: what follows counts as well
            was_heard |= bool(self._model.process_streaming(window))
        return was_heard


def _library() -> Any:
    try:
        import pymicro_wakeword  # noqa: PLC0415  # only for those who want a wake word
    except (ImportError, OSError) as error:
        raise _unusable(error) from error
    return pymicro_wakeword


def _unusable(error: Exception) -> CommandError:
    return CommandError(
        tr(
            "no wake word can be heard here ({error}): install the extra `client`, where pymicro-wakeword has a "
            "package for this machine; or listen otherwise: client.listen, continuous or push-to-talk",
            error=error,
        )
    )

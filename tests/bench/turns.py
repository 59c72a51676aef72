"""How well turns end: how long after the last word, and what is cut in two. People's speech, clean and in noise.

    python -m tests.bench.turns                       needs `superwhisper models pull smart-turn-v3.2`; about 2 minutes
    python -m tests.bench.turns --json figures.json

Every recording is heard with several silences, with the turn detector and without; then all commands in pairs, with a
gap between the two.
"""

import argparse
import asyncio
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from services.common.config_files import default_models_dir
from services.common.models.store import ModelStore
from services.stt.endpointing import Endpointing
from services.stt.engine import ENGINE_RATE_HZ
from services.stt.onnx_model import OnnxModel
from services.stt.smart_turn import SmartTurn
from services.stt.vad import load_silero
from tests.bench.figures import percentile, show
from tests.support import rooms
from tests.support.rooms import Clip, Wave
from tests.support.shared_data import SHARED
from tests.support.turns import Span, spans

_SILENCES_MS = (200, 250, 300, 400, 600)
_GAPS_MS = (250, 500, 700, 1000, 1500)
_SNR_DB = 10


def main() -> None:
    """Measures, prints tables, writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with speech and noise")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    figures = asyncio.run(_measure(options.shared))
    show("Recordings, one turn each (end told after the last sound, ms)", figures["silences"])
    show("Two commands with a gap: utterances", figures["gaps"])
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


async def _measure(shared: Path) -> dict[str, list[dict[str, Any]]]:
    silero = load_silero()
    smart_turn = SmartTurn(ModelStore(default_models_dir()).verified_path("smart-turn-v3.2"))
    commands = [*rooms.commands(shared, "fr"), *rooms.commands(shared, "en")]
    noise = rooms.read(shared / "noise" / "background_noise.wav")
    silences = [
        await _silence_row(kind, _conditions(clips, noise), silence_ms, silero, detector)
        for kind, clips in (("commands", commands), ("read", rooms.sentences(shared)))
        for silence_ms in _SILENCES_MS
        for detector in (smart_turn, None)
    ]
    gaps = [
        await _gap_row(commands, gap_ms, silero, detector) for gap_ms in _GAPS_MS for detector in (smart_turn, None)
    ]
    return {"silences": silences, "gaps": gaps}


def _conditions(clips: list[Clip], noise: Wave) -> list[Clip]:
    clean = [rooms.levelled(rooms.with_silence(clip, 1, 2.5)) for clip in clips]
    return [*clean, *(rooms.noisy(clip, noise, _SNR_DB, seed) for seed, clip in enumerate(clean))]


async def _silence_row(
    kind: str, clips: list[Clip], silence_ms: int, silero: OnnxModel, detector: SmartTurn | None
) -> dict[str, Any]:
    settings = Endpointing(endpoint_silence_ms=silence_ms, unjudged_silence_ms=silence_ms)
    cut, late_ms = 0, []
    for clip in clips:
        found = await spans(rooms.pcm(clip.wave), settings, silero, detector)
        end_ms = clip.end * 1000 / ENGINE_RATE_HZ
        cut += sum(1 for span in found if span.decided_ms < end_ms - 100)
        late_ms += [span.decided_ms - end_ms for span in _last_of_speech(found, end_ms)]
    return {
        "speech": kind,
        "silence, ms": silence_ms,
        "judged": "yes" if detector else "no",
        "recordings": len(clips),
        "cuts": cut,
        "p50": percentile(late_ms, 50),
        "p90": percentile(late_ms, 90),
        "max": percentile(late_ms, 100),
    }


def _last_of_speech(found: list[Span], end_ms: float) -> list[Span]:
    """The utterance in which the speech ends; none where it was cut right before its end."""
    return [span for span in found if span.start_ms < end_ms <= span.decided_ms][:1]


async def _gap_row(commands: list[Clip], gap_ms: int, silero: OnnxModel, detector: SmartTurn | None) -> dict[str, Any]:
    found = Counter[int]()
    for first, second in pairwise(commands):
        wave = joined(speech_of(first), gap_ms, speech_of(second))
        found[len(await spans(rooms.pcm(wave), Endpointing(), silero, detector))] += 1
    counts = {"one": found[1], "two": found[2], "more": sum(found.values()) - found[1] - found[2]}
    return {"gap, ms": gap_ms, "judged": "yes" if detector else "no", **counts}


def speech_of(clip: Clip) -> Wave:
    """Without what is before and after its speech, at one level."""
    return rooms.levelled(clip).wave[clip.onset : clip.end]


def joined(first: Wave, gap_ms: float, second: Wave) -> Wave:
    """Both, and a quiet room before, between and after."""
    room = np.random.default_rng(4).standard_normal
    before, after = room(ENGINE_RATE_HZ) * 5, room(2 * ENGINE_RATE_HZ) * 5
    return np.concatenate([before, first, room(int(gap_ms * ENGINE_RATE_HZ / 1000)) * 5, second, after])


if __name__ == "__main__":
    main()

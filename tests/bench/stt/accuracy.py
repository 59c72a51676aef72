"""Word and character error rates of a service on a folder of recordings with transcripts."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import jiwer

from services.common.channels import Connection
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.bench.figures import Rows

_KINDS = {".wav", ".flac", ".ogg", ".mp3", ".m4a"}


def normalised(text: str) -> str:
    """As error rates are usually computed: lower case, no punctuation, one space between words."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    return " ".join(re.sub(r"[^\w\s']", " ", plain).split())


def recordings(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each recording, and what is said in it: the .txt beside it, or else its own name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _KINDS:
            beside = path.with_suffix(".txt")
            yield path, beside.read_text(encoding="utf-8") if beside.is_file() else path.stem


async def measure(address: str, folder: Path, language_code: str) -> Rows:
    """One row: the rates over all recordings."""
    said, heard, audio_ms, took_ms, backends = [], [], 0, 0.0, set()
    async with Connection(address).open() as channel:
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        for path, text in recordings(folder):
            request = stt_pb2.RecognizeRequest(
                audio=path.read_bytes(), recognition=stt_pb2.RecognitionConfig(language_code=language_code)
            )
            answer = await stub.Recognize(request, timeout=600)
            said.append(normalised(text))
            heard.append(normalised(answer.text))
            audio_ms += answer.duration_ms
            took_ms += answer.processing_ms
            backends.add(answer.backend)
    if not said:
        raise SystemExit(f"{folder} holds no recordings ({', '.join(sorted(_KINDS))})")
    return [
        {
            "recordings": len(said),
            "backend": ", ".join(sorted(backends)),
            "audio s": round(audio_ms / 1000, 1),
            "WER %": round(100 * jiwer.wer(said, heard), 1),
            "CER %": round(100 * jiwer.cer(said, heard), 1),
            "exact %": round(100 * sum(map(str.__eq__, said, heard)) / len(said), 1),
            "rtf": round(took_ms / audio_ms, 3),
        }
    ]

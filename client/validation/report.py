"""The report that people read: Markdown, in the language of whoever validates."""

from collections.abc import Iterator, Sequence

import numpy as np

from client.messages import later, tr
from client.validation.record import Interruption, Kind, Record, Take, Verdict
from client.validation.steps import FULL, Step, title
from client.views import sentences

_TITLE = "VALIDATION HUMAINE AUDIO"  # in every language: it is the name of the document
_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})
_NONE = "–"
_HEARD = "first_heard"
_BAD_OUTCOMES = {
    "failed": later("the turn failed"),
    "lost": later("connection lost"),
    "unknown": later("nobody told how it ended"),
}


def markdown(record: Record) -> str:
    """All of it."""
    parts = (_banners, _setting, _steps, _results, _times, _interruptions, _judgement)
    blocks = [f"# {_TITLE}", *(block for part in parts for block in part(record))]
    return "\n\n".join(blocks) + "\n"


def _banners(record: Record) -> Iterator[str]:
    if record.setting.kind is not Kind.HUMAN:
        # Its English is for whoever searches the reports; a translation follows where there is one.
        told = tr("recordings were spoken, and nobody listened; it counts as no verdict")
        yield f"> **NOT A HUMAN VALIDATION** — {told}."
    if record.incomplete_because:
        yield f"> **{tr('INCOMPLETE')}** — {_plain(record.incomplete_because)}."


def _setting(record: Record) -> Iterator[str]:
    setting = record.setting
    engines = ", ".join(f"{stage} {names}" for stage, names in record.engines.items())
    yield _list(
        (tr("Date"), f"{setting.began_at:%Y-%m-%d %H:%M:%S %z}"),
        (tr("Validator"), setting.validator),
        (tr("Type of test"), _type_of_test(record)),
        (tr("Language"), setting.language_code),
        (tr("Machine"), setting.system),
        (tr("Graphics card"), setting.gpus),
        (tr("Profile"), setting.profile),
        (tr("Assistant"), setting.address),
        (tr("Engines"), engines),
        (tr("Version"), f"{setting.version} {setting.commit}".strip()),
    )


def _type_of_test(record: Record) -> str:
    if record.setting.kind is not Kind.HUMAN:
        return tr("recordings")
    return tr("a person, full protocol") if set(record.steps) >= set(FULL) else tr("a person, part of the protocol")


def _steps(record: Record) -> Iterator[str]:
    done = record.done
    yield _heading(tr("Steps"))
    shown = [step for step in Step if step in FULL or step in done]
    yield "\n".join(f"- {_box(checked=step in done)} {title(step)}" for step in shown)


def _results(record: Record) -> Iterator[str]:
    yield _heading(tr("What was understood"))
    if not record.takes:
        yield tr("Nothing was said.")
        return
    rows = [
        (
            take.name,
            take.sentence,
            take.understood or _NONE,
            tr("{rate:.0f}%", rate=take.word_errors.rate * 100),
            _milliseconds([turn.voice_to_voice_ms for turn in take.turns]),
            _remarks(take),
        )
        for take in record.takes
    ]
    headings = (tr("Step"), tr("Sentence shown"), tr("Understood"), "WER", tr("Voice to voice"), tr("Remarks"))
    yield _table(headings, rows)
    errors = record.word_errors
    whole = tr(
        "Word error rate of all sentences: {rate:.1f}% ({errors} errors, {words} words). Figures count as words of "
        "their own: “2” is not “two”.",
        rate=errors.rate * 100,
        errors=errors.errors,
        words=errors.words,
    )
    yield whole


def _remarks(take: Take) -> str:
    said_again = [tr("said {times} times", times=take.attempts)] if take.attempts > 1 else []
    outcomes = [tr(_BAD_OUTCOMES[turn.outcome]) for turn in take.turns if turn.outcome in _BAD_OUTCOMES]
    return "; ".join([*said_again, *outcomes, *take.problems]) or _NONE


def _times(record: Record) -> Iterator[str]:
    stages: dict[str, list[float]] = {}
    for turn in record.turns:
        times = (
            turn.timings_ms if turn.voice_to_voice_ms is None else {**turn.timings_ms, _HEARD: turn.voice_to_voice_ms}
        )
        for stage, took_ms in times.items():
            stages.setdefault(stage, []).append(took_ms)
    if not stages:
        return
    yield _heading(tr("Times since the last word, in ms"))
    rows = [(sentences.of_time(stage), str(len(ms)), _share(ms, 50), _share(ms, 95)) for stage, ms in stages.items()]
    yield _table((tr("Stage"), tr("Turns"), "P50", "P95"), rows)


def _interruptions(record: Record) -> Iterator[str]:
    found = [(take, take.interruption) for take in record.takes if take.interruption is not None]
    if not found:
        return
    yield _heading(tr("Speaking into a reply"))
    yield "\n".join(f"- {_interruption(interruption)}" for _, interruption in found)


def _interruption(interruption: Interruption) -> str:
    if not interruption.came:
        return tr("the reply was not interrupted")
    if interruption.stopped_ms is None:
        return tr("interrupted; how soon it fell silent was not told")
    return tr("interrupted; silent after {ms} ms", ms=f"{interruption.stopped_ms:.0f}")


def _judgement(record: Record) -> Iterator[str]:
    judgement = record.judgement
    ratings = judgement.ratings if judgement else None
    yield _heading(tr("Ratings"))
    yield _list(
        (tr("Transcription"), _rating(ratings.transcription if ratings else None)),
        (tr("Fluidity"), _rating(ratings.fluidity if ratings else None)),
        (tr("Audio quality"), _rating(ratings.audio_quality if ratings else None)),
    )
    yield _heading(tr("Verdict"))
    verdict = judgement.verdict if judgement else None
    names = {
        Verdict.VALIDATED: tr("validated"),
        Verdict.WITH_RESERVATIONS: tr("with reservations"),
        Verdict.TO_CORRECT: tr("to correct"),
    }
    yield "\n".join(f"- {_box(checked=one is verdict)} {name}" for one, name in names.items())
    yield _heading(tr("Comments"))
    yield _plain(judgement.comments) if judgement and judgement.comments else _NONE
    yield _heading(tr("Actions"))
    actions = judgement.actions if judgement else ()
    yield "\n".join(f"- {_box(checked=False)} {_plain(action)}" for action in actions) or _NONE


def _rating(rating: int | None) -> str:
    return tr("not rated") if rating is None else f"{rating} / 5"


def _milliseconds(values: Sequence[float | None]) -> str:
    return ", ".join(f"{value:.0f} ms" for value in values if value is not None) or _NONE


def _share(values: Sequence[float], percent: int) -> str:
    return f"{np.percentile(values, percent):.0f}"


def _heading(text: str) -> str:
    return f"## {text}"


def _list(*rows: tuple[str, str]) -> str:
    return "\n".join("- " + tr("**{name}**: {value}", name=name, value=_plain(value) or _NONE) for name, value in rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _box(*, checked: bool) -> str:
    return "[x]" if checked else "[ ]"


def _plain(text: str) -> str:
    """On one line, and nothing in it is Markdown or HTML: it may have been said by anybody."""
    return " ".join(text.split()).translate(_MARKUP)

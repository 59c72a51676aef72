"""What is added to the critical path, by calculation and by records; how turns are counted; the picture."""

import math
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation import barge_in, false_alarms, voice_to_voice
from tests.bench.conversation.engines import Speeds
from tests.bench.conversation.path import chains, scripted_ms
from tests.bench.conversation.picture import Bar, picture
from tests.bench.conversation.replies import Current
from tests.bench.conversation.turns import Asked, Run
from tests.bench.conversation.waterfall import bars
from tests.fakes.scripted_services.records import Record
from tests.fakes.scripted_services.script import EarsSpeed, MindSpeed
from tests.support.conversing import Told
from tests.support.microphone import Spoken

_EARS = {"paused": 100.101, "eager": 100.162, "endpoint": 100.301, "final": 100.302}
_MIND = {"began": 100.164, "first": 100.244, "clause": 100.311}
_MOUTH = {"began": 100.165, "clause": 100.314, "audio": 100.344}
_COMPLETED = pb.TurnFinished(outcome=pb.TURN_OUTCOME_COMPLETED, timings=pb.TurnTimings(endpoint_ms=300, total_ms=900))


def _asked(
    received: float | None = 100.348, began_at: float = 100.303, finished: pb.TurnFinished | None = _COMPLETED
) -> Asked:
    """A question whose last sample was sent at 100 s."""
    return Asked(7, Spoken(98.0, 100.0), "turn-1" if finished else "", began_at, received, finished)


def _records(
    ears: Mapping[str, float] = _EARS, mind: Mapping[str, float] = _MIND, mouth: Mapping[str, float] = _MOUTH
) -> list[Record]:
    given = (("stt", ears), ("llm", mind), ("tts", mouth))
    return [Record(stage, 7, "finished", moments) for stage, moments in given]


def _passages(*records: Record) -> list[float]:
    """Each of them, and what was added in all."""
    (chain,) = chains([_asked()], records)
    return [round(value, 3) for value in (*chain.passages(Speeds()).values(), chain.added(Speeds()))]


def test_script_is_over_when_draft_and_endpoint_are() -> None:
    # 100 ms of silence, 60 of decoding, 80 + 4 / 60 s of writing, 30 of speaking
    assert scripted_ms(Speeds()) == pytest.approx(100 + 60 + 80 + 4000 / 60 + 30)
    assert scripted_ms(Speeds(ears=EarsSpeed(endpoint_ms=600))) == 600
    # a microphone sends what it has every 20 ms
    assert scripted_ms(Speeds(ears=EarsSpeed(endpoint_ms=590))) == 600
    assert scripted_ms(Speeds(mind=MindSpeed(tokens_per_s=1000))) == 300


def test_passages_of_draft_are_those_from_pause_on() -> None:
    assert _passages(*_records()) == [1, 2, 3, 4, 1 + 2 + 3 + 4]


def test_passages_of_reply_that_waited_for_the_endpoint() -> None:
    mind = {"began": 100.164, "first": 100.2, "clause": 100.249}
    mouth = {"began": 100.165, "clause": 100.25, "audio": 100.28}
    # the endpoint's script is 300 ms, and its transcript took the ears another
    assert _passages(*_records(mind=mind, mouth=mouth)) == [1, 2, 1, 46, 47]


def test_passages_without_draft_begin_at_the_endpoint() -> None:
    late = _records(mind={"began": 100.307, "first": 100.31, "clause": 100.311})
    assert _passages(*late) == [1, 5, 3, 4, 13]


def test_dropped_draft_and_later_calls_are_not_the_chain() -> None:
    dropped = Record("llm", 7, "cancelled", {"began": 99.0, "first": 99.1, "clause": 99.2})
    later = Record("tts", 7, "finished", {"began": 200.0, "clause": 200.1, "audio": 200.2})
    assert _passages(dropped, *_records(), later) == [1, 2, 3, 4, 10]


def test_turn_of_which_not_all_is_known_has_no_chain() -> None:
    assert chains([_asked()], _records()[:2]) == []
    assert chains([_asked(received=None)], _records()) == []


def test_turns_are_counted_as_what_became_of_them() -> None:
    failed = pb.TurnFinished(outcome=pb.TURN_OUTCOME_FAILED)
    asked = [
        _asked(),
        _asked(finished=failed),
        _asked(received=None),
        _asked(began_at=99.9),
        _asked(finished=None, received=None),
    ]
    run = Run(2, asked, took_s=30.0)
    assert voice_to_voice.turns([run]) == [
        {"conversations": 2, "turns": 5, "a minute": 10.0, "failed": 2, "cut off": 1, "missed": 1}
    ]
    assert run.good == [asked[0]]


def test_stages_are_told_only_where_they_were_reached() -> None:
    rows = voice_to_voice.stages(Run(1, [_asked()], 1.0))
    assert [(row["stage"], row["p50"]) for row in rows] == [
        ("endpoint", 300.0),
        ("turn over", 900.0),
        ("voice to voice, seen by the client", 348.0),
    ]


def test_added_is_what_the_script_does_not_explain() -> None:
    rows = voice_to_voice.added(Run(1, [_asked()], 1.0), chains([_asked()], _records()), Speeds())
    assert [row["p50"] for row in rows[:2]] == [pytest.approx(348 - scripted_ms(Speeds()), abs=0.05), 10.0]
    assert rows[-1]["turns"] == 1


def _told(at: float, **event: object) -> Told:
    return Told(at, pb.ConverseResponse(turn_id="turn-1", **event))  # type: ignore[arg-type]


_YIELDS = {"state": pb.StateChanged(state=pb.ASSISTANT_STATE_YIELDING)}
_SPEAKS = {"state": pb.StateChanged(state=pb.ASSISTANT_STATE_SPEAKING)}
_AUDIO = {"reply_audio": pb.ReplyAudio()}
_INTERRUPTED = {"interrupted": pb.Interrupted()}
_REPLY = Current("turn-1", 7)


def test_interruption_is_measured_from_its_first_sample() -> None:
    told = [_told(10.05, **_AUDIO), _told(10.1, **_YIELDS), _told(10.4, **_INTERRUPTED), _told(10.41, **_AUDIO)]
    one = barge_in.seen(told, _REPLY, 20_000, onset_at=10.0)
    assert (one.yielded_at, one.interrupted_at, one.last_audio_at, one.late_chunks) == (10.1, 10.4, 10.41, 1)
    silent = barge_in.seen([], _REPLY, 20_000, onset_at=10.0)
    assert (silent.interrupted_at, silent.last_audio_at, silent.late_chunks) == (None, 10.0, 0)


def test_interruptions_are_rows_with_ends_of_cancelled_calls() -> None:
    told = [_told(10.09, **_AUDIO), _told(10.1, **_YIELDS), _told(10.4, **_INTERRUPTED)]
    records = [
        Record("stt", 20_000, "finished", {"started": 10.08}),
        Record("llm", 7, "cancelled", {"ended": 10.41}),
        Record("tts", 7, "finished", {"ended": 10.2}),
    ]
    rows = barge_in.rows([barge_in.seen(told, _REPLY, 20_000, onset_at=10.0)], records)
    assert [row.get("p50") for row in rows[:6]] == [90.0, 10.0, 100.0, 400.0, 10.0, None]
    assert [row["times"] for row in rows[6:]] == ["1 of 1", 0]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([_told(1, **_YIELDS), _told(2, **_SPEAKS), _told(3, **_AUDIO)], "resumed"),
        ([_told(1, **_YIELDS), _told(2, **_SPEAKS)], "silent"),
        ([_told(0.5, **_AUDIO), _told(1, **_YIELDS), _told(2, **_SPEAKS)], "silent"),
        ([_told(1, **_YIELDS)], "silent"),
        ([_told(1, **_AUDIO)], "undisturbed"),
        ([_told(1, **_YIELDS), _told(2, **_INTERRUPTED)], "interrupted"),
    ],
)
def test_false_alarm_is_what_became_of_the_reply(told: list[Told], outcome: str) -> None:
    one = false_alarms.seen(told, _REPLY, "Oui.")
    assert one.outcome == outcome
    assert false_alarms.rows([one])[-1][outcome] == 1


def _svg(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def test_picture_is_well_formed_and_within_its_frame() -> None:
    latencies = [300.0 + number for number in range(40)]
    root = _svg(picture([Bar("a < b & c", 0, 100), Bar("all", 0, 348)], latencies, 'quoted "title" & <more>'))
    assert root.get("aria-label") == 'quoted "title" & <more>'
    _, _, width, height = (float(value) for value in str(root.get("viewBox")).split())
    rectangles = [element for element in root.iter() if element.tag.endswith("rect") and element.get("x")]
    assert len(rectangles) == 2 + 40
    for one in rectangles:
        assert 0 <= float(one.get("x", "")) <= float(one.get("x", "")) + float(one.get("width", "")) <= width
        assert 0 <= float(one.get("y", "")) <= float(one.get("y", "")) + float(one.get("height", "")) <= height
        assert not math.isnan(float(one.get("width", "")))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"a < b & c", "P50 320 ms", "P95 337 ms"} <= set(texts)


@pytest.mark.parametrize("latencies", [[], [336.7], [336.7, 336.7]])
def test_picture_of_little_is_one_too(latencies: list[float]) -> None:
    _svg(picture([], latencies, "few"))


def _rounded(drawn: list[Bar]) -> list[tuple[str, int, int]]:
    return [(bar.name, round(bar.from_ms), round(bar.to_ms)) for bar in drawn]


def test_waterfall_is_of_the_turn_in_the_middle() -> None:
    asked = [_asked(received=100.5), _asked(), _asked(received=100.2)]
    drawn = _rounded(bars(Run(1, asked, 1.0), _records()))
    assert drawn[0] == ("silence, until a pause", 0, 101)
    assert drawn[-1] == ("voice to voice", 0, 348)
    told = _rounded(bars(Run(1, asked, 1.0), []))
    assert told == [("endpoint", 0, 300), ("voice to voice", 0, 348)]
    assert bars(Run(1, [], 1.0), []) == []

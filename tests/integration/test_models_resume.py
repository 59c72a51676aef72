"""Downloads that end early: continued where that is surely right, begun anew where it is not."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.common.errors import ModelError
from services.common.models.sources import parse_source
from tests.fakes.hub import Answer, FakeHub, Request, Seen, puller_for

NEW = os.urandom(50_000)
PATH = "/tiny/a.bin"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def seen() -> Seen:
    return Seen()


def test_a_cut_answer_is_continued_where_it_ended(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW, cut_after=20_000))
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW
    assert [request.range for request in hub.requests] == ["", "bytes=20000-", "bytes=40000-"]


@pytest.mark.parametrize("says_length", [True, False])
def test_a_later_pull_continues_an_earlier_one(hub: FakeHub, seen: Seen, tmp_path: Path, says_length: bool) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW, says_length=says_length, cut_after=20_000, takes_ranges=False))
    with pytest.raises(ModelError, match="cut the answer off at 20000 bytes"):
        puller_for(tmp_path, model, seen).pull("tiny")
    hub.put(PATH, Answer(NEW, says_length=says_length))
    hub.requests.clear()
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW
    assert hub.requests == [Request(PATH, "bytes=20000-")]


@pytest.mark.parametrize("pinned_by_registry", [True, False])
def test_another_version_is_never_glued_to_the_first_one_s_beginning(
    hub: FakeHub, seen: Seen, tmp_path: Path, pinned_by_registry: bool
) -> None:
    model = hub.model("tiny", pinned_by_registry=pinned_by_registry, a=NEW)
    hub.put(PATH, Answer(NEW[::-1], etag='"older"', cut_after=20_000, takes_ranges=False))
    with pytest.raises(ModelError):
        puller_for(tmp_path, model, seen).pull("tiny")
    hub.put(PATH, Answer(NEW))
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_mark_of_the_version_and_without_a_sum_the_file_is_begun_anew(
    hub: FakeHub, seen: Seen, tmp_path: Path, etag: str
) -> None:
    model = hub.model("tiny", pinned_by_registry=False, a=NEW)
    hub.put(PATH, Answer(NEW[::-1], etag=etag, cut_after=20_000, takes_ranges=False))
    with pytest.raises(ModelError):
        puller_for(tmp_path, model, seen).pull("tiny")
    hub.put(PATH, Answer(NEW, etag=etag))
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW


def test_a_server_that_cannot_continue_sends_all_again(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW, cut_after=20_000, takes_ranges=False))
    with pytest.raises(ModelError):
        puller_for(tmp_path, model, seen).pull("tiny")
    hub.put(PATH, Answer(NEW, takes_ranges=False))
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW


def test_a_download_that_was_complete_but_not_yet_in_place_is_used(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    part = tmp_path / "tiny" / "a.bin.part"
    part.parent.mkdir()
    part.write_bytes(NEW)
    part.with_name("a.bin.part.json").write_text(json.dumps({"url": hub.url(PATH), "tag": '"one"'}), encoding="utf-8")
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW
    assert seen.sizes == []


def test_a_beginning_longer_than_the_file_is_thrown_away(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    part = tmp_path / "tiny" / "a.bin.part"
    part.parent.mkdir()
    part.write_bytes(NEW + b"more")
    part.with_name("a.bin.part.json").write_text(json.dumps({"url": hub.url(PATH), "tag": '"one"'}), encoding="utf-8")
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW


@pytest.mark.parametrize(("sent", "asked"), [(0, 1), (100, 5)])
def test_nobody_is_asked_again_and_again(hub: FakeHub, seen: Seen, tmp_path: Path, sent: int, asked: int) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW, cut_after=sent))
    with pytest.raises(ModelError, match="cut the answer off"):
        puller_for(tmp_path, model, seen).pull("tiny")
    assert len(hub.requests) == asked


def test_a_cut_that_only_the_known_size_shows_is_continued(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW, says_length=False, unframed=True, cut_after=30_000))
    assert puller_for(tmp_path, model, seen).pull("tiny").read_bytes() == NEW
    assert [request.range for request in hub.requests] == ["", "bytes=30000-"]


def test_a_model_that_moved_is_begun_anew(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", pinned_by_registry=False, a=NEW)
    hub.put(PATH, Answer(NEW[::-1], cut_after=20_000, takes_ranges=False))
    with pytest.raises(ModelError):
        puller_for(tmp_path, model, seen).pull("tiny")
    hub.put("/moved", Answer(NEW))  # under the same mark, which means nothing at another address
    moved = replace(model.files[0], source=parse_source(hub.url("/moved")))
    assert puller_for(tmp_path, replace(model, files=(moved,)), seen).pull("tiny").read_bytes() == NEW
    assert hub.requests[-1] == Request("/moved", "")

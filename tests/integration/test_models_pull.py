"""Pulling from a hub over real sockets: whatever goes wrong, the old model stays and the reason is told."""

import contextlib
import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.common.errors import ModelError
from services.common.models.pull import Puller
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.sources import parse_source
from services.common.models.store import ModelStore
from tests.fakes.hub import IMPATIENT, Answer, FakeHub, Request, Seen, puller_for

NEW = os.urandom(50_000)
OLD = b"the model of last year"
PATH = "/tiny/a.bin"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def seen() -> Seen:
    return Seen()


def _leftovers(models_dir: Path) -> list[str]:
    return sorted(path.name for path in (models_dir / "tiny").rglob("*") if ".part" in path.name)


def _with_old_model(models_dir: Path) -> Path:
    place = models_dir / "tiny" / "a.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(OLD)
    return place


def test_a_model_is_fetched_once(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    puller = puller_for(tmp_path, hub.model("tiny", a=NEW), seen)
    place = puller.pull("tiny")
    assert place == tmp_path / "tiny" / "a.bin"
    assert place.read_bytes() == NEW
    assert (seen.sizes[0], seen.sizes[-1]) == ((0, len(NEW)), (len(NEW), len(NEW)))
    assert _leftovers(tmp_path) == []
    assert "tiny/a.bin" in json.loads((tmp_path / "verified.json").read_bytes())  # a start need not hash it again

    assert puller.pull("tiny") == place
    assert seen.kept_files == ["a.bin"]
    assert len(hub.requests) == 1


def test_a_model_of_several_files_becomes_a_folder(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    place = puller_for(tmp_path, hub.model("tiny", a=NEW, b=OLD), seen).pull("tiny")
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {"a.bin": NEW, "b.bin": OLD}


def test_only_the_broken_file_of_a_folder_is_fetched_again(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    puller = puller_for(tmp_path, hub.model("tiny", a=NEW, b=OLD), seen)
    broken = puller.pull("tiny") / "b.bin"
    broken.write_bytes(OLD[:-1])
    hub.requests.clear()
    puller.pull("tiny")
    assert hub.requests == [Request("/tiny/b.bin", "")]
    assert broken.read_bytes() == OLD


def test_the_hub_s_own_address_scheme_and_its_redirects(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    file = ModelFile("a.bin", parse_source("hf:me/tiny/onnx/a.bin@v2"), len(NEW), hashlib.sha256(NEW).hexdigest())
    model = Model("tiny", "for tests", "CC0-1.0", (), (file,))
    hub.put("/me/tiny/resolve/v2/onnx/a.bin", Answer(status=302, headers={"Location": hub.url("/elsewhere")}))
    hub.put("/elsewhere", Answer(NEW))
    assert puller_for(tmp_path, model, seen, hub.endpoint).pull("tiny").read_bytes() == NEW


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(NEW[:-1] + bytes([NEW[-1] ^ 1])), r"has the sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"),
        (Answer(NEW[:-1]), "a file of 49999 bytes instead of 50000"),
        (Answer(NEW + b"x"), "a file of 50001 bytes instead of 50000"),
        (Answer(NEW[:-1], says_length=False), "has 49999 bytes, expected 50000"),
        (Answer(NEW + b"x", says_length=False), "more than the 50000 bytes it should"),
        (Answer(NEW, cut_after=0), "cut the answer off at 0 bytes"),
        (Answer(NEW, cut_after=100), r"cut the answer off at 500 bytes"),
        (Answer(NEW, cut_after=0, then_silent=True), r"does not answer \(connected, then silent\)"),
        (Answer(NEW, cut_after=20_000, then_silent=True), r"does not answer \(connected, then silent\)"),
        (Answer(status=404), r"has no such file \(http://127\.0\.0\.1:\d+/tiny/a\.bin\)"),
        (Answer(status=403), r"refuses this file \(403\)"),
        (Answer(b"sorry", status=503), "answers 503 Service Unavailable"),
        (Answer(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}), "a web page instead of the file"),
        (Answer(NEW, headers={"Content-Encoding": "gzip"}), "compressed only"),
        (Answer(status=302, headers={"Location": "http://example.invalid/a.bin"}), "is not https"),
        (Answer(status=302, headers={"Location": PATH}), "cannot be reached .*redirect"),
    ],
    ids=lambda value: None if isinstance(value, Answer) else value[:30],
)
def test_whatever_fails_the_old_model_stays(
    hub: FakeHub, seen: Seen, tmp_path: Path, answer: Answer, reason: str
) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, answer)
    place = _with_old_model(tmp_path)
    http = IMPATIENT if answer.then_silent else None
    with pytest.raises(ModelError, match=reason) as caught:
        puller_for(tmp_path, model, seen, http=http).pull("tiny")
    assert place.read_bytes() == OLD
    assert str(place) in str(caught.value)  # where to put the file by hand


def test_wrong_bytes_leave_nothing_behind(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    hub.put(PATH, Answer(NEW[::-1]))
    with pytest.raises(ModelError) as caught:
        puller_for(tmp_path, model, seen).pull("tiny")
    assert hashlib.sha256(NEW).hexdigest() in str(caught.value)
    assert hashlib.sha256(NEW[::-1]).hexdigest() in str(caught.value)
    assert _leftovers(tmp_path) == []


def test_a_sum_that_nobody_knew_is_pinned_and_held_to(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", pinned_by_registry=False, a=NEW)
    puller = puller_for(tmp_path, model, seen)
    place = puller.pull("tiny")
    assert seen.pins == [hashlib.sha256(NEW).hexdigest()]

    place.unlink()
    hub.put(PATH, Answer(NEW[::-1]))
    with pytest.raises(ModelError, match=f"expected {seen.pins[0]}"):
        puller.pull("tiny")
    hub.put(PATH, Answer(NEW))
    assert puller.pull("tiny") == place
    assert len(seen.pins) == 1


def test_what_may_have_been_cut_unseen_is_not_pinned(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    model = hub.model("tiny", pinned_by_registry=False, a=NEW)
    hub.put(PATH, Answer(NEW, says_length=False, unframed=True))
    with pytest.raises(ModelError, match="does not say how long the file is"):
        puller_for(tmp_path, model, seen).pull("tiny")


def test_a_file_put_there_by_hand_is_kept(seen: Seen, hub: FakeHub, tmp_path: Path) -> None:
    _with_old_model(tmp_path)
    puller = puller_for(tmp_path, hub.model("tiny", a=OLD), seen)
    assert puller.pull("tiny").read_bytes() == OLD
    assert hub.requests == []


def test_a_file_put_there_by_hand_whose_sum_nobody_knew_is_pinned(seen: Seen, hub: FakeHub, tmp_path: Path) -> None:
    _with_old_model(tmp_path)
    model = hub.model("tiny", pinned_by_registry=False, a=OLD)
    puller_for(tmp_path, model, seen).pull("tiny")
    assert hub.requests == []
    assert seen.pins == [hashlib.sha256(OLD).hexdigest()]
    assert ModelStore(tmp_path, Registry([model])).verified_path("tiny").read_bytes() == OLD


def test_a_file_put_there_by_hand_that_is_too_short_is_never_pinned(seen: Seen, hub: FakeHub, tmp_path: Path) -> None:
    place = _with_old_model(tmp_path)
    (file,) = hub.model("tiny", a=NEW).files
    model = Model("tiny", "for tests", "CC0-1.0", (), (replace(file, sha256=None),))
    puller_for(tmp_path, model, seen).pull("tiny")
    assert place.read_bytes() == NEW
    assert seen.pins == [hashlib.sha256(NEW).hexdigest()]


def _hub_model() -> Model:
    return Model("tiny", "for tests", "CC0-1.0", (), (ModelFile("a.bin", parse_source("hf:me/tiny/a.bin")),))


def test_a_host_that_refuses_is_given_up_with_advice(seen: Seen, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ModelError) as caught:
        puller_for(tmp_path, _hub_model(), seen, f"http://127.0.0.1:{port}").pull("tiny")
    sentence = str(caught.value)
    assert f"127.0.0.1:{port} cannot be reached" in sentence
    assert "set HF_ENDPOINT to a mirror" in sentence
    assert f"put the file yourself at {tmp_path / 'tiny' / 'a.bin'}" in sentence


def test_a_host_that_does_not_even_connect_is_given_up(seen: Seen, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as waiting:
        for _ in range(3):  # whoever comes after these gets no answer at all: the queue is full
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(server.getsockname())
        with pytest.raises(ModelError, match=r"does not answer \(no connection\).*set HF_ENDPOINT"):
            puller_for(tmp_path, _hub_model(), seen, f"http://127.0.0.1:{server.getsockname()[1]}", IMPATIENT).pull(
                "tiny"
            )


def test_a_mirror_without_tls_on_another_machine_is_refused(seen: Seen, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"HF_ENDPOINT: .* is not https"):
        puller_for(tmp_path, _hub_model(), seen, "http://mirror.invalid")


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "127.0.0.1:not-a-port"])
def test_a_proxy_that_cannot_be_used_is_named(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ModelError, match="the proxy that this environment names cannot be used"):
        puller_for(tmp_path, _hub_model(), seen).pull("tiny")


def test_a_server_on_this_machine_is_asked_past_any_proxy(
    hub: FakeHub, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert puller_for(tmp_path, hub.model("tiny", a=NEW), seen).pull("tiny").read_bytes() == NEW


def test_two_pulls_of_one_model_fetch_it_once(hub: FakeHub, tmp_path: Path) -> None:
    model = hub.model("tiny", a=NEW)
    gate = threading.Event()
    hub.put(PATH, Answer(NEW, gate=gate))
    first, second = Seen(), _OpensGate(gate)
    store = ModelStore(tmp_path, Registry([model]))
    thread = threading.Thread(target=Puller(store, first).pull, args=["tiny"])
    thread.start()
    hub.wait_until_asked()  # now the first holds the lock, and the hub holds its answer until the second waits
    Puller(store, second).pull("tiny")
    thread.join()
    assert (first.waits, second.waits) == (0, 1)
    assert second.kept_files == ["a.bin"]
    assert len(hub.requests) == 1


class _OpensGate(Seen):
    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    def waiting(self, model: Model) -> None:
        super().waiting(model)
        self._gate.set()


def test_a_models_folder_that_cannot_be_made_is_a_sentence(hub: FakeHub, seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file, not a folder")
    with pytest.raises(ModelError, match=r"model tiny: .*models.* cannot be written"):
        puller_for(tmp_path / "models", hub.model("tiny", a=NEW), seen).pull("tiny")

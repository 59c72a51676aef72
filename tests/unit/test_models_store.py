"""services/common/models/store.py and sums.py: what a service asks before an engine may read a model."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from services.common.errors import ModelError
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.sources import parse_source
from services.common.models.store import FileState, ModelStore

CONTENT = b"the weights of a model"


def _file(name: str, content: bytes = CONTENT, *, known: bool = True) -> ModelFile:
    sha256 = hashlib.sha256(content).hexdigest() if known else None
    return ModelFile(name, parse_source(f"https://example.org/{name}"), len(content) if known else None, sha256)


def _model(name: str, *files: ModelFile) -> Model:
    return Model(name, "for tests", "CC0-1.0", (), files)


SINGLE = _model("single", _file("a.bin"))
FOLDER = _model("folder", _file("a.bin"), _file("sub/b.bin"))
UNKNOWN = _model("unknown", _file("a.bin", known=False))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", Registry([SINGLE, FOLDER, UNKNOWN]))


def _install(store: ModelStore, model: Model, content: bytes = CONTENT) -> None:
    for file in model.files:
        path = store.file_path(model, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_a_missing_model_says_how_to_get_it(store: ModelStore) -> None:
    for look in (store.path, store.verified_path):
        with pytest.raises(ModelError, match="single is not installed: run `superwhisper models pull single`"):
            look("single")


def test_a_model_of_one_file_is_that_file_and_one_of_several_their_folder(store: ModelStore) -> None:
    _install(store, SINGLE)
    _install(store, FOLDER)
    assert store.verified_path("single") == store.models_dir / "single" / "a.bin"
    assert store.verified_path("folder") == store.models_dir / "folder"


def test_a_folder_with_one_file_missing_is_not_installed(store: ModelStore) -> None:
    _install(store, FOLDER)
    store.file_path(FOLDER, FOLDER.files[1]).unlink()
    assert not store.is_installed(FOLDER)
    with pytest.raises(ModelError, match="is not installed"):
        store.path("folder")


def test_a_user_s_own_model_is_where_the_user_says(store: ModelStore, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    with pytest.raises(ModelError, match=r"there is no model at .*own\.gguf"):
        store.path(str(own))
    own.write_bytes(CONTENT)
    assert store.path(str(own)) == store.verified_path(str(own)) == own


@pytest.mark.parametrize(
    "broken",
    [CONTENT[:-1], b"", CONTENT + b"x", bytes([CONTENT[0] ^ 1]) + CONTENT[1:]],
    ids=["cut short", "empty", "too long", "flipped bit"],
)
def test_a_broken_file_is_refused_before_anybody_reads_it(store: ModelStore, broken: bytes) -> None:
    _install(store, SINGLE, broken)
    with pytest.raises(ModelError, match=r"a\.bin is broken: expected .* run `superwhisper models pull single`"):
        store.verified_path("single")


def test_a_file_that_breaks_after_it_was_found_right_is_refused(store: ModelStore) -> None:
    _install(store, SINGLE)
    path = store.verified_path("single")
    before = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(ModelError, match="is broken"):
        store.verified_path("single")


def test_a_file_is_hashed_once_and_again_on_demand(store: ModelStore) -> None:
    _install(store, SINGLE)
    path = store.verified_path("single")
    before = path.stat()
    # The same size and time with other bytes shows which of the two looks reads the content.
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.check(SINGLE, SINGLE.files[0]).state is FileState.OK
    assert store.check(SINGLE, SINGLE.files[0], afresh=True).state is FileState.BROKEN


def test_a_new_sum_in_the_registry_is_compared_anew(store: ModelStore) -> None:
    _install(store, SINGLE)
    store.verified_path("single")
    newer = _model("single", _file("a.bin", CONTENT[::-1]))
    with pytest.raises(ModelError, match="is broken"):
        ModelStore(store.models_dir, Registry([newer])).verified_path("single")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"single/a.bin": 7}', "\xff"])
def test_a_broken_memory_of_what_was_verified_is_no_harm(store: ModelStore, content: str) -> None:
    _install(store, SINGLE)
    (store.models_dir / "verified.json").write_bytes(content.encode("latin-1"))
    assert store.verified_path("single").is_file()
    assert "single/a.bin" in json.loads((store.models_dir / "verified.json").read_bytes())


def test_a_models_folder_that_cannot_be_written_serves_nevertheless(store: ModelStore) -> None:
    _install(store, SINGLE)
    (store.models_dir / ".locks").write_bytes(b"")  # a file where the folder of locks should go: also root cannot write
    assert store.verified_path("single").is_file()
    assert not (store.models_dir / "verified.json").exists()


def test_a_file_without_a_known_sum_is_refused_until_it_is_pinned(store: ModelStore) -> None:
    _install(store, UNKNOWN)
    with pytest.raises(ModelError, match="no known sum yet: run `superwhisper models pull unknown`"):
        store.verified_path("unknown")
    store.sums.pin(UNKNOWN, UNKNOWN.files[0], hashlib.sha256(CONTENT).hexdigest())
    assert store.verified_path("unknown").is_file()


def test_a_pin_holds_for_its_source_only(store: ModelStore) -> None:
    store.models_dir.mkdir()
    store.sums.pin(UNKNOWN, UNKNOWN.files[0], "ab" * 32)
    elsewhere = ModelFile("a.bin", parse_source("https://example.org/newer/a.bin"))
    assert store.sums.expected(UNKNOWN, UNKNOWN.files[0]) == "ab" * 32
    assert store.sums.expected(UNKNOWN, elsewhere) is None


def test_broken_pins_are_an_error_and_not_forgotten(store: ModelStore) -> None:
    _install(store, UNKNOWN)
    (store.models_dir / "pins.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"pins\.json is broken .* delete it to pin anew"):
        store.verified_path("unknown")


def test_an_unreadable_file_is_a_sentence(store: ModelStore) -> None:
    _install(store, UNKNOWN)
    (store.models_dir / "pins.json").mkdir()  # also root cannot read a folder as a file
    with pytest.raises(ModelError, match=r"pins\.json cannot be read"):
        store.verified_path("unknown")

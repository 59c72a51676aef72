"""services/common/models/registry.py and config/models.toml."""

from pathlib import Path

import pytest

from services.common.errors import ModelError
from services.common.models.registry import read_registry
from services.common.models.sources import PackageSource

MODEL = """
[[model]]
name = "tiny"
purpose = "LLM"
licence = "MIT"
profiles = ["embedded"]
[[model.file]]
name = "tiny.bin"
source = "https://example.org/tiny.bin"
size_bytes = 7
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_model_that_comes_along_is_pinned() -> None:
    models = list(read_registry())
    assert {"smollm2-135m-instruct", "smart-turn-v3.2"} <= {model.name for model in models}
    of_packages = [file for model in models for file in model.files if isinstance(file.source, PackageSource)]
    assert all(file.sha256 and file.size_bytes for file in of_packages)


def test_the_embedded_profile_needs_nothing_but_packages() -> None:
    models = read_registry().for_profile("embedded")
    assert "smollm2-135m-instruct" in [model.name for model in models]
    assert all(isinstance(file.source, PackageSource) for model in models for file in model.files)


def test_a_model_is_read_as_written(tmp_path: Path) -> None:
    (model,) = read_registry(_write(tmp_path, MODEL))
    assert (model.name, model.licence, model.profiles, model.size_bytes) == ("tiny", "MIT", ("embedded",), 7)
    assert (model.files[0].name, model.files[0].sha256) == ("tiny.bin", None)


def test_a_size_is_unknown_where_one_file_s_is(tmp_path: Path) -> None:
    more = '[[model.file]]\nname = "b"\nsource = "hf:a/b/c"\n'
    (model,) = read_registry(_write(tmp_path, MODEL + more))
    assert model.size_bytes is None


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    registry = read_registry(_write(tmp_path, MODEL))
    with pytest.raises(ModelError, match="no model 'tinny'; there is: tiny"):
        registry.get("tinny")
    with pytest.raises(ModelError, match="no profile 'huge'; there is: rtx3090, cpu, embedded"):
        registry.for_profile("huge")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('licence = "MIT"', 'license = "MIT"'), "tiny.licence: is missing"),
        (('licence = "MIT"', 'licence = "MIT"\nlicense = "MIT"'), "tiny.license: there is no such key"),
        (("size_bytes = 7", "size = 7"), "tiny.file.0.size: there is no such key"),
        (("size_bytes = 7", "size_bytes = 0"), "tiny.file.0.size_bytes: "),
        (("size_bytes = 7", 'sha256 = "abc"'), "tiny.file.0.sha256: "),
        (('"tiny.bin"', '"../tiny.bin"'), "tiny.file.0.name: must be a path inside"),
        (('"tiny.bin"', '"/tiny.bin"'), "tiny.file.0.name: must be a path inside"),
        (("https://example.org", "http://example.org"), "is not https"),
        (("https:", "gopher:"), "tiny.file.0.source: 'gopher://example.org/tiny.bin' is no source"),
        (('"embedded"', '"embeded"'), "tiny.profiles.0: there is no profile 'embeded'"),
        (('name = "tiny"', 'name = "../tiny"'), "../tiny.name: "),
        (('name = "tiny"', ""), "model 1.name: is missing"),
        (("[[model]]", "[[modell]]"), "modell: there is no such key"),
        ((MODEL, "model = ["), "is not TOML"),
        ((MODEL, MODEL * 2), "the model 'tiny' is there twice"),
        (("size_bytes = 7", '[[model.file]]\nname = "tiny.bin"\nsource = "hf:a/b/c"'), "'tiny.bin' is there twice"),
        ((MODEL, MODEL.split("[[model.file]]", maxsplit=1)[0]), "tiny.file: is missing"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    path = _write(tmp_path, MODEL.replace(*change))
    with pytest.raises(ModelError) as caught:
        read_registry(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_registry_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.toml cannot be read"):
        read_registry(tmp_path / "none.toml")

"""services/common/models/sources.py."""

import pytest

from services.common.models.sources import HubSource, PackageSource, WebSource, check_address, parse_source


def test_a_hub_source_names_repository_file_and_revision() -> None:
    source = parse_source("hf:someone/some.model/onnx/model.bin@v1.2")
    assert source == HubSource("someone/some.model", "onnx/model.bin", "v1.2")
    assert source.url("http://127.0.0.1:9/") == "http://127.0.0.1:9/someone/some.model/resolve/v1.2/onnx/model.bin"


def test_a_hub_source_without_a_revision_means_main() -> None:
    assert parse_source("hf:a/b/c.bin") == HubSource("a/b", "c.bin", "main")
    assert str(parse_source("hf:a/b/c.bin")) == "hf:a/b/c.bin@main"


def test_a_branch_with_slashes_stays_one_part_of_the_address() -> None:
    assert (
        HubSource("a/b", "c d.bin", "refs/pr/1").url("https://hub") == "https://hub/a/b/resolve/refs%2Fpr%2F1/c%20d.bin"
    )


def test_a_package_source_names_one_exact_version() -> None:
    assert parse_source("pypi:some-pkg==1.2.post1/some_pkg/data/m.bin") == PackageSource(
        "some-pkg==1.2.post1", "some_pkg/data/m.bin"
    )


@pytest.mark.parametrize(
    "address", ["https://example.org/m.bin", "http://127.0.0.1:8000/m.bin", "http://localhost/m", "http://[::1]:80/m"]
)
def test_an_address_is_itself_whatever_the_hub(address: str) -> None:
    source = parse_source(address)
    assert source == WebSource(address)
    assert source.url("https://hub") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/some/file",
        "ftp://example.org/m.bin",
        "hf:only-owner/file",
        "hf:a/b/",
        "pypi:package/file",  # which version?
        "pypi:package>=1/file",
        "pypi:--index-url==1/file",
        "pypi:package==1",
        7,
    ],
)
def test_anything_else_is_refused_and_the_forms_are_named(text: object) -> None:
    with pytest.raises(ValueError, match=r"hf:OWNER/REPO/PATH.*pypi:PACKAGE==VERSION/PATH"):
        parse_source(text)


@pytest.mark.parametrize(
    "url", ["http://example.org/m", "http://127.0.0.1.example.org/m", "http://10.0.0.1/m", "file:///etc/passwd"]
)
def test_only_this_machine_may_serve_without_tls(url: str) -> None:
    with pytest.raises(ValueError, match=r"not https|names no host"):
        check_address(url)


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="is no address"):
        check_address("https://example.org:port/m")

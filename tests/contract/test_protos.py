"""The conventions of protos/, held on the descriptors that protoc makes of them.

buf lints them too, but only where node is; this runs everywhere.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from tests.support.shared_data import REPOSITORY

_PROTOS = REPOSITORY / "protos"
_DOMAINS = ("assistant", "common", "llm", "stt", "tts")
_Field = descriptor_pb2.FieldDescriptorProto
_UNITS = ("_ms", "_hz", "_bytes", "_tokens", "_samples", "_id", "_characters")
# Numbers without a unit in their name: shares from 0 to 1, factors, and a language model's own terms.
_SHARES_AND_FACTORS = {
    *("stability", "confidence", "speech_threshold"),
    *("speed", "volume", "noise_scale", "noise_width", "max_audio_pace"),
    *("temperature", "top_p", "min_p", "repeat_penalty"),
}
# Whole numbers that count something which their name says, or that are positions.
_COUNTS = {"start", "end", "piece", "characters", "sequence", "first_sample", "top_k", "seed"}
_COUNTS |= {"max_concurrent_streams"}
_FLOATS = {_Field.TYPE_DOUBLE, _Field.TYPE_FLOAT}
_INTEGERS = {_Field.TYPE_INT32, _Field.TYPE_INT64, _Field.TYPE_UINT32, _Field.TYPE_UINT64}


@dataclass(frozen=True)
class Element:
    """A message, field, enum, value, oneof, service or method, where it stands and what is written above it."""

    where: str
    comment: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[descriptor_pb2.FileDescriptorProto]:
    target = tmp_path_factory.mktemp("protos") / "descriptors.binpb"
    sources = sorted(str(path) for path in (_PROTOS / "superwhisper").rglob("*.proto"))
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{_PROTOS}"]
    subprocess.run([*protoc, "--include_source_info", f"--descriptor_set_out={target}", *sources], check=True)
    return list(descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file)


Files = list[descriptor_pb2.FileDescriptorProto]


def _messages(files: Files) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    def inside(
        where: str, messages: Iterator[descriptor_pb2.DescriptorProto]
    ) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
        for message in messages:
            yield f"{where}.{message.name}", message
            yield from inside(f"{where}.{message.name}", iter(message.nested_type))

    for file in files:
        yield from inside(file.package, iter(file.message_type))


def _fields(files: Files) -> Iterator[tuple[str, descriptor_pb2.FieldDescriptorProto]]:
    for where, message in _messages(files):
        for field in message.field:
            yield f"{where}.{field.name}", field


def _methods(files: Files) -> Iterator[tuple[str, descriptor_pb2.MethodDescriptorProto]]:
    for file in files:
        for service in file.service:
            for method in service.method:
                yield f"{file.package}.{service.name}.{method.name}", method


def _enums(files: Files) -> Iterator[tuple[str, descriptor_pb2.EnumDescriptorProto]]:
    for file in files:
        for enum in file.enum_type:
            yield f"{file.package}.{enum.name}", enum
    for where, message in _messages(files):
        for enum in message.enum_type:
            yield f"{where}.{enum.name}", enum


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_each_domain_has_its_package_in_its_folder(files: Files) -> None:
    assert {file.package for file in files} == {f"superwhisper.{domain}.v1" for domain in _DOMAINS}
    for file in files:
        assert str(Path(file.name).parent) == file.package.replace(".", "/")
        assert file.syntax == "proto3"


def test_the_generated_code_is_of_these_protos(files: Files) -> None:
    for file in files:
        module = import_module(f"{file.name.removesuffix('.proto').replace('/', '.')}_pb2")
        generated = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(generated)
        wanted = descriptor_pb2.FileDescriptorProto()
        wanted.CopyFrom(file)
        wanted.ClearField("source_code_info")
        for _, field in _fields([generated, wanted]):
            field.ClearField("json_name")  # protoc writes it, the runtime derives it
        assert generated == wanted, f"{file.name} was changed since its code was generated: run `make proto`"


def test_every_domain_but_the_common_one_has_a_service_of_its_name(files: Files) -> None:
    names = {f"{file.package}.{service.name}" for file in files for service in file.service}
    assert names == {f"superwhisper.{domain}.v1.{domain.title()}Service" for domain in _DOMAINS if domain != "common"}


def test_requests_and_responses_bear_their_methods_name(files: Files) -> None:
    for where, method in _methods(files):
        package, name = where.rsplit(".", 2)[0], method.name
        assert method.input_type == f".{package}.{name}Request", where
        # The result of RecognizeFile holds a RecognizeResponse; every method has a response of its own all the same.
        assert method.output_type == f".{package}.{name}Response", where


def test_no_method_shares_its_messages(files: Files) -> None:
    used = [name for _, method in _methods(files) for name in (method.input_type, method.output_type)]
    assert len(used) == len(set(used))


def test_the_first_message_of_a_stream_is_its_configuration(files: Files) -> None:
    messages = dict(_messages(files))
    streamed = [method for _, method in _methods(files) if method.client_streaming]
    assert len(streamed) >= 4
    for method in streamed:
        request = messages[method.input_type.removeprefix(".")]
        assert [oneof.name for oneof in request.oneof_decl] == ["payload"], request.name
        assert all(field.HasField("oneof_index") for field in request.field), request.name
        assert request.field[0].name == "config", request.name
        assert request.field[0].number == 1, request.name
        assert request.field[0].type_name.endswith(f".{method.name}Config") or method.name == "Converse"


def test_streamed_responses_are_one_event_a_message(files: Files) -> None:
    messages = dict(_messages(files))
    for where, method in _methods(files):
        if method.server_streaming:
            response = messages[method.output_type.removeprefix(".")]
            assert [oneof.name for oneof in response.oneof_decl] == ["event"], where


def test_every_service_tells_its_limits(files: Files) -> None:
    messages = dict(_messages(files))
    for file in files:
        for service in file.service:
            assert "GetCapabilities" in {method.name for method in service.method}, service.name
            response = messages[f"{file.package}.GetCapabilitiesResponse"]
            assert ".superwhisper.common.v1.Limits" in {field.type_name for field in response.field}, service.name


def test_enums_begin_with_unspecified_and_prefix_their_values(files: Files) -> None:
    enums = dict(_enums(files))
    assert len(enums) >= 8
    for where, enum in enums.items():
        prefix = f"{_snake(enum.name).upper()}_"
        assert enum.value[0].name == f"{prefix}UNSPECIFIED", where
        assert enum.value[0].number == 0, where
        assert all(value.name.startswith(prefix) for value in enum.value), where
        numbers = [value.number for value in enum.value]
        assert numbers == list(range(len(numbers))), where


def test_names_are_in_the_usual_case(files: Files) -> None:
    for where, message in _messages(files):
        assert re.fullmatch(r"([A-Z][a-z0-9]+)+", message.name), where
    for where, field in _fields(files):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", field.name), where
        assert field.name == _snake(field.name), where


def test_field_numbers_leave_no_gaps(files: Files) -> None:
    for where, message in _messages(files):
        assert sorted(field.number for field in message.field) == list(range(1, len(message.field) + 1)), where


def test_numbers_have_a_unit_or_need_none(files: Files) -> None:
    fields = dict(_fields(files))
    for where, field in fields.items():
        if field.type in _FLOATS:
            assert field.name.endswith("_ms") or field.name in _SHARES_AND_FACTORS, where
        elif field.type in _INTEGERS:
            assert field.name.endswith(_UNITS) or field.name in _COUNTS, where
    known = {field.name for field in fields.values()}
    assert known >= _SHARES_AND_FACTORS | _COUNTS  # nothing on these lists that is not there any more


def test_times_are_in_milliseconds(files: Files) -> None:
    for where, field in _fields(files):
        assert not re.search(r"(_s|_sec|_secs|_seconds|_us|_time|duration|timeout)$", field.name), where


def test_audio_is_bytes_and_text_is_a_string(files: Files) -> None:
    for where, field in _fields(files):
        if field.name == "audio" and not field.type_name:
            assert field.type == _Field.TYPE_BYTES, where
        if field.name in {"text", "text_delta", "language_code"}:
            assert field.type == _Field.TYPE_STRING, where


# Comments


def _elements(files: Files) -> Iterator[Element]:
    """Everything that is declared, with the comment before it."""
    for file in files:
        comments = {tuple(place.path): place.leading_comments.strip() for place in file.source_code_info.location}
        yield Element(f"{file.name}: package", comments.get((2,), ""))
        for path, where in _declared(file):
            yield Element(f"{file.package}.{where}", comments.get(path, ""))


def _declared(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Path in the descriptor (field numbers of descriptor.proto) and name of each declaration."""
    for index, message in enumerate(file.message_type):
        yield from _declared_in(message, (4, index), message.name)
    for index, enum in enumerate(file.enum_type):
        yield from _declared_in_enum(enum, (5, index), enum.name)
    for index, service in enumerate(file.service):
        yield (6, index), service.name
        for number, method in enumerate(service.method):
            yield (6, index, 2, number), f"{service.name}.{method.name}"


def _declared_in(
    message: descriptor_pb2.DescriptorProto, path: tuple[int, ...], where: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, where
    for index, field in enumerate(message.field):
        yield (*path, 2, index), f"{where}.{field.name}"
    for index, oneof in enumerate(message.oneof_decl):
        if not oneof.name.startswith("_"):  # those stand for `optional`
            yield (*path, 8, index), f"{where}.{oneof.name}"
    for index, nested in enumerate(message.nested_type):
        yield from _declared_in(nested, (*path, 3, index), f"{where}.{nested.name}")
    for index, enum in enumerate(message.enum_type):
        yield from _declared_in_enum(enum, (*path, 4, index), f"{where}.{enum.name}")


def _declared_in_enum(
    enum: descriptor_pb2.EnumDescriptorProto, path: tuple[int, ...], where: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, where
    for index, value in enumerate(enum.value):
        yield (*path, 2, index), f"{where}.{value.name}"


def test_everything_is_commented_in_sentences(files: Files) -> None:
    elements = list(_elements(files))
    assert len(elements) > 300
    assert [element.where for element in elements if not element.comment] == []
    assert [element.where for element in elements if not element.comment.rstrip().endswith((".", ":"))] == []


def test_every_field_outside_of_a_oneof_says_whether_it_is_required(files: Files) -> None:
    elements = {element.where: element.comment for element in _elements(files)}
    for where, field in _fields(files):
        if field.HasField("oneof_index") and not field.proto3_optional:
            continue
        if where.startswith("superwhisper.common.v1.Limits."):
            continue  # its own comment says it for all of them
        said = elements[where]
        assert said.startswith(("Required", "Optional")) or where.endswith("ConverseResponse.turn_id"), where
        if field.proto3_optional:
            assert said.startswith("Optional"), where

"""services/llm/formats.py and gbnf.py: the form of replies, and what llama.cpp must not be given."""

import ctypes
import json
from collections.abc import Iterator
from typing import Any

import llama_cpp
import pytest

from services.common.errors import InvalidInputError
from services.llm.engine import GrammarFormat, JsonFormat, Tool
from services.llm.formats import call_grammar, to_gbnf
from services.llm.tool_calls import CallReader
from services.llm.tool_dialects import HERMES, LLAMA, MISTRAL, MISTRAL_NAMED, ToolDialect
from tests.support.llm import tiny_model

PERSON = {
    "type": "object",
    "properties": {"nom": {"type": "string", "maxLength": 200}, "âge": {"type": "integer"}},
    "required": ["nom", "âge"],
}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}, "of": {"$ref": "#/$defs/of"}},
            "required": ["kids"],
        },
        "of": {"type": "object", "properties": {"node": {"type": "string"}}},
    },
}


class Judge:
    """llama.cpp itself, which says what a grammar lets through."""

    def __init__(self) -> None:
        llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
        options = llama_cpp.llama_model_default_params()
        options.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(str(tiny_model()).encode(), options)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)

    def lets_through(self, grammar: str, text: str) -> bool:
        """Whether the text is a whole one of the grammar."""
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler, "llama.cpp does not take the grammar"
        try:
            # The first of this vocabulary's tokens are three marks, then one a byte.
            tokens = [3 + byte for byte in text.encode()]
            end = llama_cpp.llama_vocab_eos(self._vocab)
            return all(self._take(sampler, token) for token in tokens) and self._allows(sampler, end)
        finally:
            llama_cpp.llama_sampler_free(sampler)

    def close(self) -> None:
        llama_cpp.llama_model_free(self._model)

    def _allows(self, sampler: Any, token: int) -> bool:
        entry = llama_cpp.llama_token_data(token, 0.0, 0.0)
        only = llama_cpp.llama_token_data_array((llama_cpp.llama_token_data * 1)(entry), 1, -1, False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(only))
        return bool(only.data[0].logit == 0.0)

    def _take(self, sampler: Any, token: int) -> bool:
        if not self._allows(sampler, token):
            return False  # accepting it would end the process
        llama_cpp.llama_sampler_accept(sampler, token)
        return True


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # made by ctypes
def _quiet(_level: int, _text: bytes, _user_data: object) -> None:
    """Its log is not what is tested."""


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    of = Judge()
    yield of
    of.close()


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (PERSON, '{"nom":"Zoé","âge":7}', '{"nom":"Zoé"}'),
        (TREE, '{"kids":[{"kids":[]}],"of":{"node":"x"}}', '{"kids":[1]}'),
        ({"enum": ['a"b', "c\\d", "été", "🎉", None]}, r'"a\"b"', '"ab"'),
        ({"enum": ['a"b', "c\\d", "été", "🎉", None]}, r'"c\\d"', '"cd"'),
        ({"enum": ['a"b', "c\\d", "été", "🎉", None]}, '"🎉"', '"é"'),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3}, "[1,2]", "[1]"),
        ({"type": "string", "pattern": "^[a-z]{2,3}-[0-9]+$"}, '"ab-7"', '"a-7"'),
        (True, '{"a":[1]}', "[1]"),
    ],
)
def test_a_schema_is_what_replies_are_held_to(judge: Judge, schema: object, good: str, bad: str) -> None:
    grammar = to_gbnf(JsonFormat(json.dumps(schema)))
    assert judge.lets_through(grammar, good)
    assert not judge.lets_through(grammar, bad)


def test_a_name_that_looks_like_grammar_stays_a_name(judge: Judge) -> None:
    name = 'a" | root ::= "x'
    schema = {"type": "object", "properties": {name: {"type": "null"}}, "required": [name]}
    grammar = to_gbnf(JsonFormat(json.dumps(schema)))
    assert judge.lets_through(grammar, json.dumps({name: None}, separators=(",", ":")))
    assert not judge.lets_through(grammar, "x")


@pytest.mark.parametrize("dialect", [HERMES, LLAMA, MISTRAL, MISTRAL_NAMED])
def test_a_call_that_is_demanded_is_written_so_that_it_is_read(judge: Judge, dialect: ToolDialect) -> None:
    tools = tuple(
        Tool(name, "", json.dumps(schema)) for name, schema in [("greet", PERSON), ("plant", TREE), ("stop", {})]
    )
    grammar = call_grammar(dialect, tools)
    before, between, after = dialect.frame
    for name, arguments in [("greet", '{"nom": "Zoé", "âge": 7}'), ("plant", '{"kids":[]}'), ("stop", "{}")]:
        text = f"{before}{name}{between}{arguments}{after}"
        assert judge.lets_through(grammar, text)
        reader = CallReader(dialect, tools)
        reader.push(text)
        assert reader.has_called
    assert not judge.lets_through(grammar, f"{before}bomb{between}{{}}{after}")


@pytest.mark.parametrize(
    "grammar",
    [
        'root ::= "yes" | "no"',
        'root ::= item{1,3} # one to three\nitem ::= [a-z]+ " "?\r\n',
        'root ::= expr\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]+ | "(" expr ")"',
        'root ::= "a" root "b" | ""',
        "root ::= [^-A] [+-] [a-z-9]",
        r'root ::= [^"\\\x00-\x1f\u00e9-\U0010FFFF]+ .',
        "root ::= " + '("a" ' * 1000 + ")?" * 1000,
    ],
)
def test_a_grammar_is_passed_on_as_it_is(judge: Judge, grammar: str) -> None:
    assert to_gbnf(GrammarFormat(grammar)) == grammar
    judge.lets_through(grammar, "a")


def chained(rule: str, last: str) -> str:
    return "root ::= r0\n" + "\n".join(f"r{n} ::= " + rule.format(n + 1) for n in range(40)) + f"\nr40 ::= {last}"


# What llama.cpp does with each, tried one by one in processes of their own, stands beside it.
@pytest.mark.parametrize(
    ("grammar", "why"),
    [
        ('root ::= n root "a" | "b"\nn ::= "x"?', "'root' begins with itself"),  # dies
        ("root ::= " + "(" * 30_000 + '"a"' + ")" * 30_000, "nested more than"),  # dies
        ("root ::= " + "(" * 60_000, "nested more than"),  # dies
        ("root ::= [z-a]", "'z-a' is turned"),  # dies as soon as a token is chosen
        (r"root ::= [\x7a-\u0061]", "is turned"),
        ('root ::= "a"{5,2}', "5 to 2 repetitions"),  # hangs
        (chained("r{0} | r{0}", '"a"'), "too many choices"),  # hangs
        (chained('r{0} "x" | r{0} "y"', '"a"'), "too many choices"),  # hangs
        (chained("r{0} r{0}", '"a"?'), "too many choices"),  # hangs
        ("root ::= " + '"a"? ' * 1000, "too many choices"),  # hangs
        ('root ::= "b" ' + "[a-z]* " * 1000, "too many choices"),  # 1 s a character
        ("root ::= " + " | ".join(f'"w{n}"' for n in range(6000)), "too many choices"),
        ("", "no rule named root"),  # lets everything through
        # The others it refuses by itself, some with a sentence in its log alone.
        ('leaf ::= "a"', "no rule named root"),
        ('root ::= root "a" | "b"', "begins with itself"),
        ('root ::= x "a"\nx ::= root | "b"', "begins with itself"),
        ('root ::= "a"\nx ::= x', "begins with itself"),
        ("root ::= leaf", "no rule 'leaf'"),
        ('root ::= "a"{100000}', "100000 repetitions"),
        ('root ::= ("a"*)*', "repeats what may be empty"),
        ('root ::= "a"+?', "needs a group"),
        ("root ::= *", "nothing stands before"),
        ('root ::= "a" |', "without anything"),
        ('root ::= ("a"', "not closed"),
        ('root ::= ("a"\nleaf ::= "b"', "not closed"),
        ('root ::= "a")', "never opened"),
        ('root ::= "a\nleaf ::= b', "line 1 cannot be read"),
        ('\n\nroot ::= "a" §', "line 3 cannot be read"),
        (r'root ::= "\q"', "cannot be read"),
        (r'root ::= "\UFFFFFFFF"', "cannot be read"),
        ("root ::= []", "cannot be read"),
        ("root ::= [^]", "cannot be read"),
        ("root ::= <[5]>", "cannot be read"),
        ('"a"', "must begin with a rule"),
        ('root ::= "a"\nroot ::= "b"', "is there twice"),
        ('root ::= "a\0"', "no character of a text"),
        ('root ::= "\ud800"', "no character of a text"),
        ('root ::= "' + "a" * 70_000 + '"', "the limit is 65536"),
    ],
)
def test_a_grammar_that_would_do_harm_is_refused(grammar: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=f"(?s)^response_format: .*{why}") as refused:
        to_gbnf(GrammarFormat(grammar))
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("no JSON", "no JSON"),
        ("[" * 50_000, "no JSON"),
        ('"text"', "must be a JSON object, or true"),
        ("false", "must be a JSON object, or true"),
        ('{"enum": ["' + "x" * 70_000 + '"]}', "the limit is 65536"),
        ('{"items": ' * 40 + "{}" + "}" * 40, "nested more than 32 deep"),
        ('{"$ref": "https://example.com/schema.json"}', "not allowed"),
        ('{"$ref": "http://example.com/schema.json"}', "Unsupported ref"),
        (
            '{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}',
            "begins with itse",
        ),
        ('{"$ref": "#/nowhere"}', "cannot be used"),
        ('{"$ref": 7}', "cannot be used"),
        ('{"type": "wurst"}', "cannot be used"),
        ('{"enum": []}', "without anything"),
        ('{"type": "array", "items": {}, "minItems": 1000000000}', "minItems is 1000000000"),
        ('{"type": "array", "items": {}, "maxItems": 1e999}', "maxItems is inf"),
        ('{"type": "string", "maxLength": -1}', "maxLength is -1"),
        ('{"type": "string", "pattern": "^a{99999}$"}', "counts beyond 1000"),
        ('{"type": "string", "pattern": "^a{1,99999999999999999999}$"}', "counts beyond 1000"),
        ('{"type": "string", "pattern": "' + "a" * 600 + '"}', "longer than 512"),
        ('{"type": "string", "pattern": "[a-z]"}', "must start with"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^response_format: .*{why}"):
        to_gbnf(JsonFormat(schema))


def test_a_tools_schema_that_cannot_be_used_is_named() -> None:
    tools = [Tool("good", "", "{}"), Tool("bad", "", '{"$ref": "#/nowhere"}')]
    with pytest.raises(InvalidInputError) as refused:
        call_grammar(HERMES, tools)
    assert refused.value.field == "tools[1].parameters_json_schema"

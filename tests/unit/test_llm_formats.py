"""services/llm/formats.py and gbnf.py: the form of replies, and what llama.cpp must not be given."""

import json
from collections.abc import Iterator

import pytest

from services.common.errors import InvalidInputError
from services.llm.engine import GrammarFormat, JsonFormat, Tool
from services.llm.formats import call_grammar, to_gbnf
from services.llm.tool_calls import CallReader
from services.llm.tool_dialects import HERMES, LLAMA, MISTRAL, MISTRAL_NAMED, ToolDialect
from tests.support.grammar_judge import Judge

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
        'root ::= ("a"{1,44}){1,44}',
        'root ::= # one\n "a" |\n\n"b" (\n"c"\n)? # two\r\n\r\n leaf ::= "d"',
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
        # It does not live through these, or prints them whole.
        ('root ::= "' + "a" * 60_000 + '"{2000}', "60002 characters"),  # a gigabyte
        ('root ::= (("a"{1,40}){1,40}){1,40}', "40 repetitions of too much: of 80 rules"),
        ("root ::= " + '("a" ' * 1001 + ")?" * 1001, "of 2001 rules"),
        ("root ::= (" + " ".join(f"r{n}" for n in range(1000)) + "){2}", "2 repetitions of too much"),
        ('root ::= "a"\n  "b"', "begins a line"),
        ('root ::= "a"\n| "b"', "begins a line"),
        ('root ::= "a"\n*', "begins a line"),
        ('root ::= "a" # one\n "b"', "begins a line"),
        ('root ::= "a" leaf ::= "b"', "does not begin a line"),
        ('root ::= ("a") leaf ::= "b"', "does not begin a line"),
        ('root ::= "a"{\n2}', "cannot be read"),
        ('root ::= "a"{٣}', "cannot be read"),
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
        ("no JSON", "not JSON"),
        ("[" * 50_000, "nested too deep"),
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
        ('{"items": {"type": "string", "maxLength": 5000}}', "maxLength is 5000"),
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


@pytest.mark.parametrize("schema", [{"enum": ["x"]}, {"const": 1}, {"anyOf": [{"type": "string"}]}, {"type": "string"}])
@pytest.mark.parametrize("beside", [{}, {"properties": {"a": {"type": "null"}}, "required": ["a"]}])
def test_arguments_are_an_object_whatever_the_schema_says(judge: Judge, schema: object, beside: object) -> None:
    assert isinstance(schema, dict)
    assert isinstance(beside, dict)
    grammar = call_grammar(LLAMA, [Tool("t", "", json.dumps(schema | beside))])
    assert judge.lets_through(grammar, '{"name": "t", "parameters": {"a":null}}')
    assert not judge.lets_through(grammar, '{"name": "t", "parameters": "x"}')
    assert not judge.lets_through(grammar, '{"name": "t", "parameters": 1}')
    assert judge.lets_through(grammar, '{"name": "t", "parameters": {}}') == (not beside)


def test_a_call_need_not_fulfil_what_a_grammar_cannot_say() -> None:
    call_grammar(HERMES, [Tool("t", "", '{"properties": {"a": {"type": "integer", "minimum": 1}}}')])


def test_a_tools_schema_that_cannot_be_used_is_named() -> None:
    tools = [Tool("good", "", "{}"), Tool("bad", "", '{"properties": {"a": {"$ref": "#/nowhere"}}}')]
    with pytest.raises(InvalidInputError) as refused:
        call_grammar(HERMES, tools)
    assert refused.value.field == "tools[1].parameters_json_schema"

"""Loading the engine over HTTP: what is wrong with a server, and what to do about it."""

import pytest

from services.common.errors import EngineFailedError
from services.llm.endpoint import EndpointEngine
from tests.fakes.openai_server import DONE, HANG, HELLO, MODEL, FakeOpenAi, Reply, delta, says
from tests.support.endpoint import MAX_TURNS, loaded, section
from tests.support.llm import collect, generation

OLLAMA = {
    "/v1/models": Reply.json({"object": "list", "data": [{"id": "tiny:latest"}, {"id": "big:8b"}]}),
    "/api/version": Reply.json({"version": "0.12.0"}),
}


async def failure(url: str, api_key: str = "", **fields: object) -> str:
    """Why it cannot be loaded."""
    with pytest.raises(EngineFailedError) as caught:
        await EndpointEngine.load("near", section(url, **fields), api_key, MAX_TURNS)
    return caught.value.message


async def test_a_server_that_lists_the_model_and_begins_a_reply_is_well() -> None:
    async with FakeOpenAi() as server, loaded(server.url + "/") as engine:
        assert [request.path for request in server.requests] == ["/v1/models", "/v1/chat/completions"]
        assert server.completions[0]["model"] == MODEL
        assert (engine.context_tokens, engine.supports_tools, engine.supports_formats) == (8192, True, True)


async def test_a_server_without_a_list_may_say_that_it_is_well() -> None:
    async with FakeOpenAi() as server:
        server.pages = {"/health": Reply.json({"status": "ok"})}
        async with loaded(server.url) as engine:
            assert (await collect(engine.generate(generation("Hi"))))[0] == "Hello."


async def test_it_need_only_begin_to_think() -> None:
    async with FakeOpenAi() as server:
        server.replies = [Reply.of(delta(reasoning="Hm"), HANG)]
        async with loaded(server.url):
            assert len(server.completions) == 1


async def test_where_nobody_listens_the_server_must_be_started() -> None:
    why = await failure(FakeOpenAi().url)
    assert "nothing answers at http://127.0.0.1:" in why
    assert "`ollama serve`" in why
    assert "llm.endpoints.near.url" in why


async def test_a_model_that_is_not_listed_is_none() -> None:
    async with FakeOpenAi() as server:
        why = await failure(server.url, model="huge")
        assert "no model huge" in why
        assert "there is: tiny" in why
        server.pages["/v1/models"] = Reply.json({"data": []})
        assert "the server has no model tiny: correct llm.endpoints.near.model (there is none)" in await failure(
            server.url
        )
        server.pages["/v1/models"] = Reply.json({"data": [{"id": f"m{number:02d}"} for number in range(30)]})
        assert (await failure(server.url)).endswith("m08, m09 and 20 more)")
        assert not server.completions


@pytest.mark.parametrize("model", ["tiny", "tiny:latest", "big:8b"])
async def test_ollama_has_models_by_short_names(model: str) -> None:
    async with FakeOpenAi() as server:
        server.pages = OLLAMA
        async with loaded(server.url, model=model):
            assert server.completions[0]["model"] == model


@pytest.mark.parametrize("model", ["huge", "big", "hub.example:80/tiny"])
async def test_a_model_that_ollama_has_not_must_be_pulled(model: str) -> None:
    async with FakeOpenAi() as server:
        server.pages = OLLAMA
        why = await failure(server.url, model=model)
        assert f"`ollama pull {model}`" in why
        assert "there is: tiny:latest, big:8b" in why


def _patience(reply: Reply) -> float:
    """Only who never answers must not be waited for: a busy machine may take its time."""
    return 0.3 if HANG in reply.pieces else 20


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Reply.json({"error": "no"}, 401), "wants a key (401)"),
        (Reply.json({"error": {"message": "Loading model"}}, 503), "not ready yet (it answers 503)"),
        (Reply.json({}, 404), "answers 404: is that the address of OpenAI's API? It often ends in /v1"),
        (Reply.json(["a"]), "is that the address"),
        (Reply((b"<html>",)), "is that the address"),
        (Reply((), 302, ("Location: http://127.0.0.1:1/",)), "is that the address"),
        (Reply((b"x" * 1_000_000,) * 5), "more than 4194304 bytes"),
        (Reply((b"\x1f\x8b",), headers=("Content-Encoding: gzip",)), "is that the address"),
        (Reply((HANG,)), "gives no reply within 0.3 s"),
    ],
)
async def test_a_list_that_is_none_is_explained(page: Reply, says: str) -> None:
    async with FakeOpenAi() as server:
        server.pages = {"/v1/models": page}
        assert says in await failure(server.url, health_limit_s=_patience(page))


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply.of(HANG), "gives no reply within 0.3 s"),
        (Reply.of(DONE), "the model tiny says nothing"),
        (Reply.of(says("")), "before it was complete"),
        (Reply.json({"error": {"message": "model 'tiny' not found"}}, 404), "does not know the model tiny"),
        (Reply.json({"error": {"message": "busy"}}, 429), "it answers 429"),
        (Reply((), 307, ("Location: http://127.0.0.1:1/",)), "elsewhere (307)"),
        (Reply.json({"error": {"message": "out of memory"}}, 500), "refused the request with 500"),
    ],
)
async def test_a_model_that_does_not_begin_a_reply_is_explained(reply: Reply, says: str) -> None:
    async with FakeOpenAi() as server:
        server.replies = [reply]
        assert says in await failure(server.url, health_limit_s=_patience(reply))
        assert len(server.completions) == 1


async def test_the_key_goes_with_every_request_and_into_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with FakeOpenAi() as server:
        async with loaded(server.url, api_key="s3cret\n", api_key_env="NEAR_KEY"):
            assert {request.headers["authorization"] for request in server.requests} == {"Bearer s3cret"}
        server.pages = {"/v1/models": Reply.json({}, 401)}
        why = await failure(server.url, api_key="s3cret", api_key_env="NEAR_KEY")
    assert "refuses the key (401): correct the environment variable NEAR_KEY" in why
    assert "s3cret" not in why + caplog.text


@pytest.mark.parametrize(
    "url",
    ["http://me:s3cret@127.0.0.1:1/v1", "http://127.0.0.1:1/v1?key=s3cret", "http://127.0.0.1:port/v1", "http://[/v1"],
)
async def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    why = await failure(url)
    assert "llm.endpoints.near.url" in why
    assert "s3cret" not in why


@pytest.mark.parametrize("api_key", ["s3cret\r\nX: y", "clé-s3cret"])
async def test_a_key_that_is_none_is_not_sent(api_key: str) -> None:
    async with FakeOpenAi() as server:
        why = await failure(server.url, api_key=api_key, api_key_env="NEAR_KEY")
        assert "NEAR_KEY has characters" in why
        assert "s3cret" not in why
        assert "NEAR_KEY must hold the key" in await failure(server.url, api_key_env="NEAR_KEY")
        assert not server.requests


async def test_without_a_key_none_is_sent() -> None:
    async with FakeOpenAi() as server, loaded(server.url):
        assert all("authorization" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("unknown", "tries"), [({"min_p"}, 2), ({"min_p", "stream_options"}, 3), ({"seed"}, 3), ({"temperature"}, 0)]
)
async def test_a_strict_server_is_asked_with_fewer_fields_from_then_on(unknown: set[str], tries: int) -> None:
    async with FakeOpenAi() as server:
        server.unknown_fields = frozenset(unknown)
        if not tries:
            assert "refused the request with 400" in await failure(server.url)
            assert len(server.completions) == 3
            return
        async with loaded(server.url) as engine:
            assert len(server.completions) == tries
            assert (await collect(engine.generate(generation("Hi"))))[0] == "Hello."
            assert len(server.completions) == tries + 1


async def test_the_servers_reason_is_logged_while_nobody_has_said_anything(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeOpenAi() as server:
        server.replies = [Reply.json({"error": {"message": "CUDA out of memory", "type": "oom"}}, 500), HELLO]
        why = await failure(server.url)
    assert "CUDA" not in why
    assert "500 oom 'CUDA out of memory'" in caplog.text


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with FakeOpenAi() as server, loaded(server.url):
        assert server.completions

"""Is a server there that speaks OpenAI's HTTP API, and has it the model? If not: what to do."""

from services.common.errors import EngineFailedError
from services.llm.openai_server import OpenAiServer
from services.llm.openai_wire import read_names, read_refusal
from services.llm.refusals import EndpointNames, error_of

_OK = 200
_MOST_NAMES = 10


async def check(server: OpenAiServer, names: EndpointNames) -> None:
    """Raises an error that says what to do."""
    models = await server.get(f"{server.url}/models")
    listed = read_names(models.content) if models.status == _OK else None
    if listed is not None:
        # "llama3" means "llama3:latest" to Ollama; whoever else lists such a name will say what it makes of the short.
        if not {names.model, f"{names.model}:latest"} & set(listed):
            raise await _without_the_model(server, names, listed)
    elif models.status in {401, 403, 429, 503}:  # it is there, and says what is wrong
        raise error_of(read_refusal(models.status, models.content), names)
    elif (await server.get(f"{server.root}/health")).status != _OK:
        raise EngineFailedError(
            f"{server.url}/models answers {models.status}: is that the address of OpenAI's API? It often ends in /v1"
        )


async def _without_the_model(server: OpenAiServer, names: EndpointNames, listed: list[str]) -> EngineFailedError:
    there_is = f"correct llm.endpoints.{names.name}.model ({_there_is(listed)})"
    # Not its list of models, which llama-server has at the same place.
    if (await server.get(f"{server.root}/api/version")).status == _OK:
        return EngineFailedError(f"Ollama has no model {names.model}: run `ollama pull {names.model}`, or {there_is}")
    return EngineFailedError(f"the server has no model {names.model}: {there_is}")


def _there_is(names: list[str]) -> str:
    if not names:
        return "there is none"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"there is: {', '.join(name[:100] for name in names[:_MOST_NAMES])}{more}"

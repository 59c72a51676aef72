"""The settings of the mind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.common.gpu import GpuSettings
from services.common.settings import ProcessSettings, Section, ServerSettings
from services.llm.llama_options import KvType, LlamaOptions

FIXED_REPLY = "fixed-reply"


class SamplingSection(Section):
    """How the next token is chosen where a caller does not say."""

    temperature: float = Field(0.7, ge=0, le=2, description="0: always the likeliest.")
    top_p: float = Field(0.9, gt=0, le=1, description="Share of probability kept.")
    top_k: int = Field(40, ge=0, description="Number of tokens kept, 0 for all.")
    min_p: float = Field(0.05, ge=0, le=1, description="Least probability kept, relative to the likeliest.")
    repeat_penalty: float = Field(1.1, ge=0.5, le=2, description="Above 1 makes repetition unlikelier.")
    max_tokens: int = Field(256, gt=0, description="Longest reply: about a minute and a half of speech.")


class LlamaSection(Section):
    """One model that llama.cpp runs."""

    model: str = Field(description="A name in models.toml, or the absolute path of a GGUF file.", min_length=1)
    context_tokens: int = Field(2048, ge=256, description="Tokens that a prompt and its reply may have together.")
    sequences: int = Field(4, ge=1, le=64, description="Conversations remembered, and written at the same time.")
    batch_tokens: int = Field(64, ge=8, le=8192, description="Tokens read in one step; a cancel waits for a step.")
    threads: int = Field(0, ge=0, description="Threads of llama.cpp; 0: one a physical core.")
    gpu_layers: int = Field(0, ge=-1, description="Layers of the model on the GPU; -1 for all.")
    flash_attention: bool = Field(False, description="For a GPU, and needed by every kv_type but f16 (docs/mind.md).")
    kv_type: KvType = Field("f16", description="How what was read is kept. q8_0 is half of f16.")
    mmap: bool = Field(True, description="Reads the file as it is needed, and shares it between processes.")
    chat_template: Path | None = Field(None, description="A file with a Jinja template, instead of the model's own.")
    thinking: bool = Field(False, description="Lets a model that can do so reason before it answers. It costs time.")
    step_limit_s: float = Field(10, gt=0, description="A step that takes longer hangs: the process is replaced.")
    load_limit_s: float = Field(300, gt=0, description="Longest the trial of the model file may take.")
    vram_gb: float = Field(0, ge=0, description="GPU memory that it needs, in 10^9 bytes; 0: worked out of the file.")

    @property
    def on_gpu(self) -> bool:
        """Whether it needs a graphics card."""
        return self.gpu_layers != 0

    @model_validator(mode="after")
    def _check_step(self) -> Self:
        if self.sequences > self.batch_tokens:
            raise ValueError("sequences <= batch_tokens must hold: a step reads a token of each")
        if self.kv_type != "f16" and not self.flash_attention:
            raise ValueError(f"kv_type {self.kv_type} needs flash_attention")
        return self

    def options(self, default_threads: int) -> LlamaOptions:
        """How it is run."""
        return LlamaOptions(
            context_tokens=self.context_tokens,
            sequences=self.sequences,
            batch_tokens=self.batch_tokens,
            threads=self.threads or default_threads,
            gpu_layers=self.gpu_layers,
            flash_attention=self.flash_attention,
            kv_type=self.kv_type,
            mmap=self.mmap,
            chat_template=self.chat_template,
            thinking=self.thinking,
        )


class EndpointSection(Section):
    """A server that speaks OpenAI's HTTP API: Ollama, vLLM, llama-server, LocalAI or any other."""

    url: str = Field(description="Its base, such as http://127.0.0.1:11434/v1", pattern=r"^https?://[^/\s]+")
    model: str = Field(description="What it calls the model.")
    api_key_env: str = Field("", description="Environment variable that holds its key. Empty: it wants none.")
    context_tokens: int = Field(8192, ge=256, description="Tokens that a prompt and its reply may have together.")
    tools: bool = Field(True, description="Whether its model can call tools.")
    connect_limit_s: float = Field(2, gt=0, description="Longest a connection may take.")
    health_limit_s: float = Field(5, gt=0, description="Longest the first completion may take, before it serves.")
    connect_retries: int = Field(2, ge=0, description="Connections tried again; what was sent is never sent again.")


class LlmSection(Section):
    """The section `llm`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[str, ...] = Field(description="The chain, best first: names from below, and fixed-reply.")
    llama_cpp: dict[str, LlamaSection] = Field({}, description="Models for llama.cpp, by the name responses carry.")
    endpoints: dict[str, EndpointSection] = Field({}, description="OpenAI-compatible servers, by that name.")
    gpu: GpuSettings = Field(GpuSettings(), description="Which graphics card the models with gpu_layers use.")
    language_code: str = Field("fr", description="Language of a person whose caller names none.")
    sampling: SamplingSection = Field(SamplingSection(), description="How tokens are chosen.")

    max_reply_tokens: int = Field(1024, gt=0, description="Longest reply that a caller may ask for.")
    max_turns: int = Field(50, gt=0, description="Turns that a model is shown; older ones are left out.")
    max_messages: int = Field(512, gt=0, description="Messages of one request.")
    max_text_characters: int = Field(100_000, gt=0, description="Longest text of one request, all of it together.")
    max_tools: int = Field(64, gt=0, description="Tools of one request.")
    max_streams: int = Field(16, gt=0, description="Replies asked for at the same time, waiting ones included.")
    max_parallel: int = Field(4, gt=0, description="Replies written at the same time; the others wait in turn.")
    max_stream_s: float = Field(300, gt=0, description="Longest a reply may take, waiting included.")
    first_token_limit_s: float = Field(5, gt=0, description="Longest an engine may take to the first text.")
    next_token_limit_s: float = Field(2, gt=0, description="Longest an engine may take from text to text.")

    @property
    def on_gpu(self) -> set[str]:
        """The engines of the chain that need a graphics card."""
        return {name for name in self.engines if name in self.llama_cpp and self.llama_cpp[name].on_gpu}

    @model_validator(mode="after")
    def _know_the_engines(self) -> Self:
        known = [*self.llama_cpp, *self.endpoints, FIXED_REPLY]
        for name in self.engines:
            if name not in known:
                raise ValueError(f"engines: there is no engine {name!r}; there is: {', '.join(known)}")
        if twice := set(self.llama_cpp) & set(self.endpoints):
            raise ValueError(f"engines: {', '.join(sorted(twice))} is both in llama_cpp and in endpoints")
        if FIXED_REPLY in known[:-1]:
            raise ValueError(f"engines: {FIXED_REPLY} is the name of another engine")
        return self

    @model_validator(mode="after")
    def _check_the_chain(self) -> Self:
        if not self.engines or len(set(self.engines)) < len(self.engines):
            raise ValueError("engines: there must be one at least, and none twice")
        if FIXED_REPLY in self.engines[:-1]:
            raise ValueError(f"engines: {FIXED_REPLY} never fails, so that nothing after it is ever asked")
        return self

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        if self.max_parallel > self.max_streams:
            raise ValueError("max_parallel <= max_streams must hold")
        for name in self.engines:
            if name in self.llama_cpp and self.max_parallel > self.llama_cpp[name].sequences:
                raise ValueError(f"max_parallel <= sequences of {name} must hold: the others would wait inside of it")
        return self

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.sampling.max_tokens > self.max_reply_tokens:
            raise ValueError("sampling.max_tokens <= max_reply_tokens must hold")
        for name, context_tokens in _contexts({**self.llama_cpp, **self.endpoints}).items():
            if self.max_reply_tokens >= context_tokens:
                raise ValueError(f"max_reply_tokens < context_tokens of {name} ({context_tokens}) must hold")
        return self


def _contexts(sections: Mapping[str, LlamaSection | EndpointSection]) -> dict[str, int]:
    return {name: section.context_tokens for name, section in sections.items()}


class LlmSettings(ProcessSettings):
    """What the LLM process reads."""

    llm: LlmSection

"""The settings of the mind."""

from typing import Literal, Self

from pydantic import Field, model_validator

from services.common.settings import ProcessSettings, Section, ServerSettings

EngineName = Literal["llama.cpp", "fixed-reply"]


class SamplingSection(Section):
    """How the next token is chosen where a caller does not say."""

    temperature: float = Field(0.7, ge=0, le=2, description="0: always the likeliest.")
    top_p: float = Field(0.9, gt=0, le=1, description="Share of probability kept.")
    top_k: int = Field(40, ge=0, description="Number of tokens kept, 0 for all.")
    min_p: float = Field(0.05, ge=0, le=1, description="Least probability kept, relative to the likeliest.")
    repeat_penalty: float = Field(1.1, ge=0.5, le=2, description="Above 1 makes repetition unlikelier.")
    max_tokens: int = Field(256, gt=0, description="Longest reply: about a minute and a half of speech.")


class LlmSection(Section):
    """The section `llm`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[EngineName, ...] = Field(description="The chain, best first.")
    model: str = Field("", description="llama.cpp's model: a name in models.toml, or the absolute path of a GGUF file.")
    language_code: str = Field("fr", description="Language of a person whose caller names none.")

    n_ctx: int = Field(2048, ge=256, description="Tokens that prompt and reply may have together.")
    n_batch: int = Field(64, ge=8, description="Prompt tokens read at once; a cancel waits for them.")
    n_threads: int = Field(0, ge=0, description="Threads of llama.cpp; 0: one a physical core.")
    n_gpu_layers: int = Field(0, ge=-1, description="Layers of the model on the GPU; -1 for all.")
    sampling: SamplingSection = Field(SamplingSection(), description="How tokens are chosen.")

    max_reply_tokens: int = Field(1024, gt=0, description="Longest reply that a caller may ask for.")
    max_messages: int = Field(102, gt=0, description="Messages of one request: 50 turns, the system's and the new one.")
    max_text_characters: int = Field(100_000, gt=0, description="Longest text of one request, all messages together.")
    max_streams: int = Field(16, gt=0, description="Replies asked for at the same time, waiting ones included.")
    max_parallel: int = Field(1, gt=0, description="Replies written at the same time; the others wait in turn.")
    max_stream_s: float = Field(300, gt=0, description="Longest a reply may take, waiting included.")
    first_token_limit_s: float = Field(5, gt=0, description="Longest an engine may take to the first text.")
    next_token_limit_s: float = Field(2, gt=0, description="Longest an engine may take from text to text.")
    load_limit_s: float = Field(300, gt=0, description="Longest the trial of a model file may take.")

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if not self.sampling.max_tokens <= self.max_reply_tokens < self.n_ctx:
            raise ValueError("sampling.max_tokens <= max_reply_tokens < n_ctx must hold")
        return self


class LlmSettings(ProcessSettings):
    """What the LLM process reads."""

    llm: LlmSection

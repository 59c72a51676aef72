"""The settings of the mind: what each profile comes to, and that those which contradict each other stop the start."""

from pathlib import Path

import pytest

from services.common.config_files import PROFILES
from services.common.errors import SettingsError
from services.common.models.registry import read_registry
from services.llm.llama_options import LlamaOptions
from tests.support.llm import section

SMOLLM = "smollm2-135m"
CHAINS = {
    "rtx3090": ("llama-3-8b-q5", "llama-3-8b-q4", "ollama", "qwen2.5-1.5b", "fixed-reply"),
    "cpu": ("qwen2.5-1.5b", SMOLLM, "fixed-reply"),
    "embedded": (SMOLLM, "fixed-reply"),
}


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_has_its_minds_and_a_last_resort(profile: str) -> None:
    assert section("--profile", profile).engines == CHAINS[profile]


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_profile_pulls_is_what_its_minds_need(profile: str) -> None:
    needed = {llama.model for llama in section("--profile", profile).llama_cpp.values()}
    pulled = {model.name for model in read_registry().for_profile(profile) if model.purpose.startswith("LLM")}
    assert needed == pulled


def test_only_the_big_models_need_the_card() -> None:
    assert section("--profile", "rtx3090").on_gpu == {"llama-3-8b-q5", "llama-3-8b-q4"}
    assert section("--profile", "cpu").on_gpu == set()


def test_the_card_of_the_mind_is_that_of_the_ears() -> None:
    wish = section("--profile", "rtx3090").gpu
    assert (wish.name, wish.min_total_gb) == ("RTX 3090", 20)


def test_a_model_takes_the_threads_that_there_are_unless_told() -> None:
    llama = section().llama_cpp[SMOLLM]
    assert llama.options(default_threads=6) == LlamaOptions(context_tokens=2048, sequences=4, threads=6)
    told = section("--llm.llama_cpp", f'{{"{SMOLLM}": {{"threads": 2, "chat_template": "/own.jinja"}}}}')
    assert told.llama_cpp[SMOLLM].options(6) == LlamaOptions(
        context_tokens=2048, sequences=4, threads=2, chat_template=Path("/own.jinja")
    )


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        ("engines", '["lama"]', f"there is no engine 'lama'; there is: {SMOLLM}, fixed-reply"),
        ("max_reply_tokens", "100", "sampling.max_tokens <= max_reply_tokens must hold"),
        ("max_reply_tokens", "2048", f"max_reply_tokens < context_tokens of {SMOLLM} (2048) must hold"),
        (
            "endpoints",
            '{"o": {"url": "http://a/v1", "model": "m", "context_tokens": 512}}',
            "of o (512) must hold",
        ),
        ("endpoints", f'{{"{SMOLLM}": {{"url": "http://a/v1", "model": "m"}}}}', "both in llama_cpp and in endpoints"),
        ("endpoints", '{"o": {"url": "127.0.0.1:11434", "model": "m"}}', "llm.endpoints.o.url"),
        ("engines", "[]", "there must be one at least, and none twice"),
        ("engines", f'["{SMOLLM}", "{SMOLLM}"]', "there must be one at least, and none twice"),
        ("engines", f'["fixed-reply", "{SMOLLM}"]', "fixed-reply never fails"),
        ("endpoints", '{"fixed-reply": {"url": "http://a/v1", "model": "m"}}', "is the name of another engine"),
        ("max_parallel", "5", f"max_parallel <= sequences of {SMOLLM} must hold"),
        ("max_streams", "3", "max_parallel <= max_streams must hold"),
        ("llama_cpp", f'{{"{SMOLLM}": {{"sequences": 9, "batch_tokens": 8}}}}', "sequences <= batch_tokens must hold"),
        ("llama_cpp", f'{{"{SMOLLM}": {{"kv_type": "q8_0"}}}}', "kv_type q8_0 needs flash_attention"),
        ("llama_cpp", f'{{"{SMOLLM}": {{"model": ""}}}}', f"llm.llama_cpp.{SMOLLM}.model"),
        ("llama_cpp", '{"own": {"gpu_layers": 3}}', "llm.llama_cpp.own.model: Field required"),
        ("llama_cpp", f'{{"{SMOLLM}": {{"kv_type": "q5_1"}}}}', f"llm.llama_cpp.{SMOLLM}.kv_type"),
        ("llama_cpp", f'{{"{SMOLLM}": {{"n_ctx": 1}}}}', f"llm.llama_cpp.{SMOLLM}.n_ctx: there is no such key"),
    ],
)
def test_what_cannot_be_is_named(flag: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        section(f"--llm.{flag}", value)
    assert sentence in str(caught.value)

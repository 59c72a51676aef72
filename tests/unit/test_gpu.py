"""services/common/gpu.py and nvml.py: which card it is."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.common.errors import GpuError
from services.common.gpu import Gpu, GpuSettings, choose, found_gpus, pin, score, visible
from services.common.nvml import NvidiaDriver, open_nvml
from tests.fakes.nvml import FakeLibrary, FakeNvml, card

_HAS_DRIVER = Path("/proc/driver/nvidia/version").exists()
_WANTED = GpuSettings(name="RTX 3090", min_total_gb=20)
_RTX_3090 = card(index=1)
_GTX_1080 = card("NVIDIA GeForce GTX 1080", index=0, total_gb=8.6, capability=(6, 1))
_RTX_4090 = card("NVIDIA GeForce RTX 4090", index=2, capability=(8, 9))


@pytest.mark.parametrize("gpus", [[_GTX_1080, _RTX_3090, _RTX_4090], [_RTX_4090, _RTX_3090, _GTX_1080]])
def test_the_card_is_found_by_its_name_wherever_it_is(gpus: Sequence[Gpu]) -> None:
    assert choose(found_gpus(lambda: FakeNvml(*gpus)), _WANTED) == _RTX_3090


def test_the_card_is_found_by_its_uuid_or_the_beginning_of_it() -> None:
    twins = [card(index=0, uuid="GPU-1aaa"), card(index=1, uuid="GPU-2bbb")]
    assert choose(twins, GpuSettings(uuid="GPU-2bbb")).index == 1
    assert choose(twins, GpuSettings(uuid="gpu-2")).index == 1


def test_the_wrong_card_is_an_error_that_says_what_was_found_and_what_is_wrong() -> None:
    with pytest.raises(GpuError) as caught:
        choose([_GTX_1080, card(index=3, total_gb=12.9)], _WANTED)
    message = str(caught.value)
    assert "Wanted: RTX 3090 with at least 20 GB" in message
    assert "GPU 0 NVIDIA GeForce GTX 1080 (GPU-00000000, 8.1 of 8.6 GB free): it is no RTX 3090" in message
    assert "GPU 3 NVIDIA GeForce RTX 3090 (GPU-00000003, 12.4 of 12.9 GB free): it has less than 20 GB" in message


def test_no_card_is_an_error() -> None:
    with pytest.raises(GpuError, match="Found: no NVIDIA card at all"):
        choose(found_gpus(FakeNvml), _WANTED)


def test_a_card_that_is_full_already_is_refused() -> None:
    with pytest.raises(GpuError, match="less than 2 GB are free"):
        choose([card(used_gb=24.5)], _WANTED)


def test_of_equal_cards_the_one_with_more_free_memory_is_taken() -> None:
    busy, free = card(index=0, used_gb=10), card(index=1, used_gb=1)
    assert choose([busy, free], _WANTED) == free


def test_a_newer_card_is_worth_some_memory_but_not_any() -> None:
    old, new = card(index=0, capability=(7, 5)), card(index=1, capability=(8, 6))
    assert score(new) - score(old) == pytest.approx(4.4)
    assert choose([old, new], GpuSettings()) == new
    new_but_busy = card(index=1, capability=(8, 6), used_gb=0.5 + 4.5)
    assert choose([old, new_but_busy], GpuSettings()) == old


def test_equals_are_told_apart_the_same_way_every_time() -> None:
    one, two = card(index=1, uuid="GPU-b"), card(index=0, uuid="GPU-a")
    assert choose([one, two], _WANTED) == choose([two, one], _WANTED) == two


def test_the_driver_is_let_go_also_when_it_fails() -> None:
    driver = FakeNvml(card())
    driver.failure = "Unknown Error"
    with pytest.raises(GpuError, match="the NVIDIA driver fails: Unknown Error"):
        found_gpus(lambda: driver)
    assert driver.closed


def test_the_pinned_card_is_all_that_cuda_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    pin(_RTX_3090)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == _RTX_3090.uuid


@pytest.mark.parametrize(
    ("allowed", "indices"),
    [
        (None, [0, 1, 2]),
        ("1", [1]),
        ("2, 0", [0, 2]),
        ("GPU-00000001", [1]),
        ("MIG-part", []),
        ("", []),
        ("-1", []),
    ],
)
def test_a_card_that_the_owner_hides_from_cuda_is_not_there(allowed: str | None, indices: list[int]) -> None:
    assert [gpu.index for gpu in visible([_GTX_1080, _RTX_3090, _RTX_4090], allowed)] == indices


# The driver's own library


@pytest.mark.skipif(_HAS_DRIVER, reason="this machine has an NVIDIA driver")
def test_a_machine_without_a_driver_says_so() -> None:
    with pytest.raises(GpuError, match="there is no NVIDIA driver"):
        found_gpus(open_nvml)


@pytest.mark.skipif(not _HAS_DRIVER, reason="this machine has no NVIDIA driver")
def test_the_cards_of_this_machine_are_found() -> None:
    gpus = found_gpus(open_nvml)
    assert gpus
    assert all(gpu.uuid and gpu.name and gpu.total_bytes >= gpu.used_bytes > 0 for gpu in gpus)


def test_cards_are_described_and_those_in_parts_part_by_part() -> None:
    library = FakeLibrary([card(index=0), card("NVIDIA A100", index=1, uuid="GPU-a100", capability=(8, 0))])
    part = library.cut(1, card("NVIDIA A100 MIG 1g.5gb", index=1, uuid="MIG-1", total_gb=5, capability=(8, 0)))
    driver = NvidiaDriver(library, None)
    assert list(driver.gpus()) == [card(index=0), part]
    assert driver.gpu("MIG-1") == part
    assert [gpu.uuid for gpu in NvidiaDriver(library, "MIG-1").gpus()] == ["MIG-1"]
    with pytest.raises(GpuError, match="the card GPU-a100 is gone"):
        driver.gpu("GPU-a100")


def test_the_memory_of_a_process_is_told_where_the_driver_knows_it() -> None:
    driver = NvidiaDriver(FakeLibrary([card()], processes={4711: 3_000_000}), None)
    assert driver.process_bytes(card().uuid, 4711) == 3_000_000
    assert driver.process_bytes(card().uuid, 4712) is None


def test_what_the_library_raises_becomes_an_error_of_ours() -> None:
    library = FakeLibrary([card()])
    driver = NvidiaDriver(library, None)
    library.is_lost = True
    for ask in (driver.gpus, lambda: driver.gpu(card().uuid), lambda: driver.process_bytes("", 1), driver.close):
        with pytest.raises(GpuError, match="the NVIDIA driver fails: GPU is lost"):
            ask()

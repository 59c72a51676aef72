"""The assistant does not hear itself."""

from client.audio.half_duplex import HalfDuplex
from tests.fakes.clock import FakeClock


def test_deaf_while_it_plays_and_a_moment_longer() -> None:
    clock, playing = FakeClock(), [False]
    gate = HalfDuplex(lambda: playing[0], clock)
    heard = [gate.is_deaf()]
    playing[0] = True
    heard.append(gate.is_deaf())
    clock.advance(10)
    heard.append(gate.is_deaf())
    playing[0] = False
    clock.advance(0.2)
    heard.append(gate.is_deaf())
    clock.advance(0.1)
    heard.append(gate.is_deaf())
    assert heard == [False, True, True, True, False]

"""The made voice as an ONNX model with the inputs and outputs of Piper's own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from scripts.made_voice.sounds import FRAME_SAMPLES, FRAMES, Wave

_OPSET = 15  # what Piper's own export uses; its IR is one that every onnxruntime of the last years reads
_IR_VERSION = 8
_RHYTHM, _BREATH = 0.1, 0.01  # how much one unit of noise moves lengths and samples


class _Graph:
    """Nodes and constants as they are added; everything has the name of what it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"make {output}", **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def whole(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))


def make_network(tables: Sequence[Wave], frames: Sequence[int], *, durations: bool) -> onnx.ModelProto:
    """Says phonemes by their waveforms.

    There is one table a speaker, with a waveform an id, and `frames` has the length of each id. With `durations` it
    also tells how many frames each id got.
    """
    graph = _Graph()
    _lengths(graph, frames)
    _rows(graph, len(frames), several=len(tables) > 1)
    _sound(graph, np.concatenate(tables))
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if len(tables) > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "samples"])]
    if durations:
        outputs.append(helper.make_tensor_value_info("durations", TensorProto.FLOAT, [1, "phonemes"]))
    made = helper.make_graph(graph.nodes, "made voice", inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def _lengths(graph: _Graph, frames: Sequence[int]) -> None:
    """`durations`: ⌈frames × length scale × e^(noise × its scale)⌉ of each id."""
    split = graph.whole("split", 1, 1, 1)
    graph.nodes.append(
        helper.make_node("Split", ["scales", split], ["noise_scale", "length_scale", "rhythm_scale"], axis=0)
    )
    graph.constant("frames", np.array(frames, np.float32))
    graph.add("Gather", ["frames", "input"], "usual")
    graph.add("RandomNormalLike", ["usual"], "chance", mean=0.0, scale=_RHYTHM)
    graph.add("Mul", ["chance", "rhythm_scale"], "rhythm")
    graph.add("Exp", ["rhythm"], "stretch")
    graph.add("Mul", ["usual", "length_scale"], "scaled")
    graph.add("Mul", ["scaled", "stretch"], "wanted")
    graph.add("Ceil", ["wanted"], "durations")


def _rows(graph: _Graph, ids: int, *, several: bool) -> None:
    """`rows`: the frames that are heard, one after the other, by their rows in the table of all frames."""
    minus_one, plus_one = graph.whole("minus_one", -1), graph.whole("plus_one", 1)
    graph.add("Reshape", ["durations", minus_one], "flat_durations")
    graph.add("Cast", ["flat_durations"], "counts", to=TensorProto.INT64)
    graph.add("ReduceMax", ["counts"], "longest", keepdims=0)
    graph.constant("zero", np.array(0, np.int64))
    graph.constant("one", np.array(1, np.int64))
    graph.add("Range", ["zero", "longest", "one"], "steps")
    graph.add("Unsqueeze", ["counts", plus_one], "count_column")
    graph.add("Less", ["steps", "count_column"], "is_heard")
    graph.add("Reshape", ["input", minus_one], "ids")
    if several:
        graph.add("Mul", ["sid", graph.whole("ids_a_speaker", ids)], "first_id")
        graph.add("Add", ["ids", "first_id"], "speakers_ids")
    graph.whole("frames_a_wave", FRAMES)
    graph.add("Mul", ["speakers_ids" if several else "ids", "frames_a_wave"], "first_rows")
    graph.add("Unsqueeze", ["first_rows", plus_one], "first_row_column")
    graph.add("Mod", ["steps", "frames_a_wave"], "step_in_wave")
    graph.add("Add", ["first_row_column", "step_in_wave"], "all_rows")
    graph.add("Reshape", ["all_rows", minus_one], "flat_rows")
    graph.add("Reshape", ["is_heard", minus_one], "flat_is_heard")
    graph.add("Compress", ["flat_rows", "flat_is_heard"], "rows", axis=0)


def _sound(graph: _Graph, table: Wave) -> None:
    """`output`: the samples of the rows, with a little noise."""
    graph.constant("waves", table.reshape(-1, FRAME_SAMPLES).astype(np.float16))
    graph.add("Gather", ["waves", "rows"], "half_samples", axis=0)
    graph.add("Cast", ["half_samples"], "samples", to=TensorProto.FLOAT)
    graph.add("RandomNormalLike", ["samples"], "breath", mean=0.0, scale=_BREATH)
    graph.add("Mul", ["breath", "noise_scale"], "scaled_breath")
    graph.add("Add", ["samples", "scaled_breath"], "breathing")
    graph.add("Reshape", ["breathing", graph.whole("one_voice", 1, 1, -1)], "output")

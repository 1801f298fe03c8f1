# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Windows along a tensor's last dimension: neighbours, each other one, edges that repeat and edges that are something else."""
import numpy as np
from onnx import helper


def make(cases):
    random = cases.random("windows")
    f = lambda *shape: random.standard_normal(shape).astype(np.float32)
    node = helper.make_node

    def pool(name, x, kind="AveragePool", dynamic=(), **attributes):
        cases.add(f"{name}_{kind.lower()}", None, [("x", x)], ["y"], nodes=[node(kind, ["x"], ["y"], **attributes)], opset=22,
                  dynamic={"x": {axis: f"d{axis}" for axis in dynamic}})

    for width in (5, 16, 17, 37, 64):
        for kind in ("AveragePool", "MaxPool"):
            pool(f"neighbours_{width}", f(2, 3, 6, width), kind, kernel_shape=[3, 3], pads=[1] * 4)
            pool(f"each_other_{width}", f(2, 3, 6, width), kind, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    pool("without_padding", f(1, 2, 40), kernel_shape=[4])
    pool("halves", f(1, 2, 66), kernel_shape=[2], strides=[2])
    pool("halves_of_a_dynamic_length", f(1, 2, 71), kernel_shape=[2], strides=[2], dynamic=(2,))
    pool("dynamic_sizes", f(2, 3, 9, 41), kernel_shape=[3, 5], pads=[1, 2, 1, 2], dynamic=(0, 2, 3))
    pool("thirds", f(1, 2, 100), kernel_shape=[5], strides=[3], pads=[2, 2])
    pool("further_apart", f(1, 2, 70), "MaxPool", kernel_shape=[3], dilations=[4], pads=[2, 2])
    pool("further_apart_each_other", f(1, 2, 70), "MaxPool", kernel_shape=[3], dilations=[4], strides=[2], pads=[2, 1])
    pool("wider_than_the_input", f(1, 2, 20), kernel_shape=[21], pads=[20, 20])
    pool("up_to_the_end", f(1, 2, 38), kernel_shape=[4], strides=[2], pads=[1, 1], ceil_mode=1, count_include_pad=1)
    pool("bytes", random.integers(-128, 128, (1, 2, 45)).astype(np.int8), "MaxPool", kernel_shape=[3], pads=[1, 1])
    pool("bytes_each_other", random.integers(0, 256, (1, 2, 45)).astype(np.uint8), "MaxPool", kernel_shape=[3], strides=[2], pads=[1, 1])
    pool("doubles", random.standard_normal((1, 2, 45)), "MaxPool", kernel_shape=[3], strides=[2], pads=[1, 1])

    for mode in ("edge", "reflect", "constant", "wrap"):
        for name, x in (("floats", f(3, 37)), ("integers", random.integers(-9, 9, (3, 37)).astype(np.int64)), ("short", f(3, 4))):
            cases.add(f"pad_{mode}_{name}", None, [("x", x), ("pads", np.array([0, 3, 1, 2], np.int64))], ["y"], fixed=("pads",), opset=21,
                      nodes=[node("Pad", ["x", "pads"], ["y"], mode=mode)], dynamic={"x": {0: "n"}})
    for first, last, step in ((0, 99, 2), (3, 90, 2), (1, 60, 1), (2, 99, 3), (90, 2, -1), (91, 0, -2)):
        cases.add(f"slice_{first}_{last}_{step}".replace("-", "minus_"), None,
                  [("x", f(3, 100)), *((key, np.array([value], np.int64)) for key, value in
                                       (("first", first), ("last", last), ("axis", 1), ("step", step)))], ["y"],
                  fixed=("first", "last", "axis", "step"), opset=21, nodes=[node("Slice", ["x", "first", "last", "axis", "step"], ["y"])])
    cases.add("joined", None, [("x", f(3, 29)), ("z", f(3, 41))], ["y"], opset=21, nodes=[node("Concat", ["x", "z", "x"], ["y"], axis=1)])

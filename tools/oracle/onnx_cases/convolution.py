# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions of all kinds, alone and with what networks put behind them."""
import numpy as np
from onnx import helper, numpy_helper


def make(cases):
    node = helper.make_node

    def conv(name, x, w, bias=False, dynamic=None, fixed=True, kind="Conv", scale=0.3, **attributes):
        random = cases.random(name)
        f = lambda *shape: (random.standard_normal(shape) * scale).astype(np.float32)
        inputs = [("x", f(*x)), ("w", f(*w))]
        if bias:
            inputs.append(("b", f(w[0] if kind == "Conv" else w[1] * attributes.get("group", 1))))
        cases.add(name, kind, inputs, ["y"], attributes=attributes, domain="", fixed=tuple(key for key, _ in inputs[1:]) if fixed else (),
                  dynamic=dynamic)

    conv("conv_3x3_padded", (1, 5, 9, 11), (7, 5, 3, 3), bias=True, pads=[1, 1, 1, 1])
    conv("conv_3x3_uneven_pads_and_strides", (2, 3, 10, 13), (4, 3, 3, 3), pads=[0, 2, 1, 0], strides=[2, 3])
    conv("conv_7x7_stride_2", (1, 3, 21, 37), (20, 3, 7, 7), pads=[3, 3, 3, 3], strides=[2, 2])
    conv("conv_dilated", (1, 4, 12, 12), (3, 4, 3, 2), dilations=[2, 3], pads=[2, 1, 2, 2])
    conv("conv_pointwise", (3, 40, 5, 7), (33, 40, 1, 1), bias=True)
    conv("conv_pointwise_stride_2", (2, 18, 9, 7), (5, 18, 1, 1), strides=[2, 2])
    conv("conv_patches", (1, 3, 32, 48), (10, 3, 16, 16), strides=[16, 16], bias=True)
    conv("conv_planes_smaller_than_a_block", (5, 6, 3, 3), (9, 6, 3, 3), pads=[1, 1, 1, 1])
    conv("conv_deep", (1, 70, 4, 5), (3, 70, 3, 3), pads=[1, 1, 1, 1], scale=0.1)
    conv("conv_many_rows", (1, 3, 3, 5), (470, 3, 2, 2), scale=0.1)
    conv("conv_groups", (2, 12, 6, 7), (8, 3, 3, 3), group=4, pads=[1, 1, 1, 1], bias=True)
    conv("conv_depthwise", (2, 9, 13, 18), (9, 1, 3, 3), group=9, pads=[1, 1, 1, 1], bias=True)
    conv("conv_depthwise_stride_2", (1, 7, 15, 70), (7, 1, 5, 5), group=7, pads=[2, 2, 2, 2], strides=[2, 2])
    conv("conv_depthwise_twice_dilated", (1, 4, 11, 12), (8, 1, 3, 3), group=4, dilations=[2, 2], strides=[1, 3])
    conv("conv_depthwise_eightfold", (1, 2, 6, 40), (16, 1, 3, 3), group=2)
    conv("conv_1d", (2, 6, 50), (4, 6, 5), pads=[2, 2], bias=True)
    conv("conv_1d_wide_depthwise", (1, 3, 200), (3, 1, 31), group=3, pads=[30, 0])
    conv("conv_3d", (1, 3, 5, 6, 7), (4, 3, 3, 2, 3), pads=[1, 0, 1, 1, 1, 1], strides=[2, 1, 2], bias=True)
    conv("conv_3d_depthwise", (1, 4, 5, 6, 9), (4, 1, 3, 3, 3), group=4, pads=[1] * 6)
    conv("conv_same_upper", (1, 2, 8, 9), (3, 2, 4, 2), auto_pad="SAME_UPPER", strides=[2, 2])
    conv("conv_dynamic", (2, 3, 8, 10), (5, 3, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2], bias=True,
         dynamic={"x": {0: "n", 2: "h", 3: "w"}})
    conv("conv_dynamic_pointwise", (2, 5, 6, 4), (7, 5, 1, 1), dynamic={"x": {0: "n", 2: "h", 3: "w"}})
    conv("conv_dynamic_same", (1, 3, 9, 10), (5, 3, 3, 3), auto_pad="SAME_LOWER", strides=[2, 2], dynamic={"x": {2: "h", 3: "w"}})
    conv("conv_weight_of_the_run", (1, 3, 6, 6), (4, 3, 3, 3), bias=True, fixed=False)
    conv("conv_pads_beyond_the_image", (1, 2, 3, 3), (3, 2, 3, 3), pads=[4, 4, 4, 4])
    conv("transposed_stride_2", (2, 5, 4, 6), (5, 3, 3, 3), kind="ConvTranspose", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0], bias=True)
    conv("transposed_stride_1_dilated", (1, 4, 5, 5), (4, 2, 3, 2), kind="ConvTranspose", dilations=[2, 1])
    conv("transposed_groups", (1, 6, 4, 4), (6, 2, 2, 2), kind="ConvTranspose", group=3, strides=[2, 2])
    conv("transposed_1d_dynamic", (1, 8, 12), (8, 4, 4), kind="ConvTranspose", strides=[2], pads=[1, 1], dynamic={"x": {2: "t"}})

    def block(name, tail, seed, x=(2, 6, 9, 9), outputs=8, residual=False, group=1, kernel=3):
        """A convolution without bias, then the nodes of `tail`, from c to y; r is another input."""
        random = cases.random(seed)
        f = lambda *shape: (random.standard_normal(shape) * 0.4).astype(np.float32)
        weights = [("w", f(outputs, x[1] // group, kernel, kernel)), ("s", f(outputs)), ("o", f(outputs)), ("m", f(outputs)),
                   ("v", np.abs(f(outputs)) + 0.5)]
        pad = kernel // 2
        inputs = [("x", f(*x))] + ([("r", f(x[0], outputs, *x[2:]))] if residual else []) + weights
        nodes = [node("Conv", ["x", "w"], ["c"], group=group, pads=[pad] * 4)] + tail
        cases.add(name, None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in weights), dynamic={"x": {0: "n"}})

    constant = lambda name, value: node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value, np.float32), name))
    norm = node("BatchNormalization", ["c", "s", "o", "m", "v"], ["n"])
    block("conv_norm_relu", [norm, node("Relu", ["n"], ["y"])], 1)
    block("conv_norm_residual_relu", [norm, node("Add", ["n", "r"], ["a"]), node("Relu", ["a"], ["y"])], 2, residual=True)
    block("conv_norm_relu6", [norm, constant("low", 0), constant("high", 6), node("Clip", ["n", "low", "high"], ["y"])], 3)
    block("conv_norm_silu", [norm, node("Sigmoid", ["n"], ["g"]), node("Mul", ["n", "g"], ["y"])], 4)
    block("depthwise_norm_relu", [norm, node("Relu", ["n"], ["y"])], 5, group=6, outputs=6)
    block("conv_relu_then_norm", [node("Relu", ["c"], ["d"]), node("BatchNormalization", ["d", "s", "o", "m", "v"], ["y"])], 6)
    block("conv_hardswish_pool", [norm, node("HardSwish", ["n"], ["h"]), node("MaxPool", ["h"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
                                  node("GlobalAveragePool", ["p"], ["y"])], 7)
    block("conv_read_twice", [norm, node("Relu", ["n"], ["a"]), node("Add", ["n", "a"], ["y"])], 8)
    block("conv_scaled_and_shifted", [constant("k", 1.5), node("Mul", ["c", "k"], ["d"]), node("Add", ["d", "k"], ["y"])], 9, kernel=1)

    # Padding by an operator of its own in front: unequal sides, beside the convolution's own; another number, a cut and other modes are no padding of zeros.
    def padded(name, pads, value=0.0, mode="constant", own=(0, 0, 0, 0), strides=(2, 2), x=(1, 5, 8, 9), bounded=False, group=1):
        random = cases.random(name)
        f = lambda *shape: (random.standard_normal(shape) * 0.4).astype(np.float32)
        nodes = [node("Constant", [], ["pads"], value=numpy_helper.from_array(np.int64(pads), "pads")), constant("value", value),
                 node("Pad", ["x", "pads", "value"] if mode == "constant" else ["x", "pads"], ["p"], mode=mode),
                 node("Conv", ["p", "w", "b"], ["c" if bounded else "y"], strides=list(strides), pads=list(own), group=group)]
        if bounded:
            nodes += [constant("low", 0), constant("high", 6), node("Clip", ["c", "low", "high"], ["y"])]
        cases.add(name, None, [("x", f(*x)), ("w", f(10, x[1] // group, 3, 3)), ("b", f(10))], ["y"], nodes=nodes, fixed=("w", "b"))

    padded("pad_behind_conv_relu6", [0, 0, 0, 0, 0, 0, 1, 1], bounded=True)
    padded("pad_unequal_conv_pads", [0, 0, 1, 2, 0, 0, 2, 0], own=(1, 0, 0, 2))
    padded("pad_depthwise", [0, 0, 1, 1, 0, 0, 1, 1], group=5, strides=(1, 1))
    padded("pad_of_another_number", [0, 0, 1, 1, 0, 0, 1, 1], value=0.5)
    padded("pad_that_cuts", [0, 0, -1, 1, 0, 0, 1, -2])
    padded("pad_of_channels", [0, 1, 1, 1, 0, -1, 1, 1], x=(1, 5, 8, 9))
    padded("pad_reflected", [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect")
    padded("pad_of_batches", [1, 0, 1, 1, 0, 0, 1, 1])

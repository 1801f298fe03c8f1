# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""com.microsoft's fused activations, norms, products and convolutions."""
import math

import numpy as np
from onnx import helper


def softmax(x, axes):
    powers = np.exp(x.astype(np.float64) - np.max(x, axes, keepdims=True))
    return powers / np.sum(powers, axes, keepdims=True)


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def group_norm(x, gamma, beta, groups, epsilon, silu):
    """x [n, h, w, c]"""
    n, h, w, c = x.shape
    parts = x.astype(np.float64).reshape(n, h * w, groups, c // groups)
    mean = parts.mean((1, 3), keepdims=True)
    variance = ((parts - mean) ** 2).mean((1, 3), keepdims=True)
    y = ((parts - mean) / np.sqrt(variance + epsilon)).reshape(x.shape) * gamma + beta
    return y / (1 + np.exp(-y)) if silu else y


def make(cases):
    def f(name, *shape, scale=1.0):
        return (cases.random(name).standard_normal(shape) * scale).astype(np.float32)

    x = f("x", 2, 3, 8)
    dynamic = {"x": {0: "batch", 1: "sequence"}}
    # Before operator set 17 it is ONNX Runtime's own, which passes over attributes that it does not know.
    cases.add("layer_norm_of_an_old_set", "LayerNormalization", [("x", x), ("scale", f("ls", 8)), ("bias", f("lb", 8))], ["y"], {"axis": -1, "epsion": 0.1},
              dynamic=dynamic, domain="", opset=13)
    cases.add("gelu", "Gelu", [("x", x)], ["y"], dynamic=dynamic)
    cases.add("bias_gelu", "BiasGelu", [("x", x), ("bias", f("b", 8))], ["y"], dynamic=dynamic)
    cases.add("fast_gelu", "FastGelu", [("x", x), ("bias", f("b", 8))], ["y"])
    cases.add("fast_gelu_alone", "FastGelu", [("x", x)], ["y"])
    cases.add("quick_gelu", "QuickGelu", [("x", x)], ["y"])
    cases.add("quick_gelu_alpha", "QuickGelu", [("x", x)], ["y"], {"alpha": 0.7})
    cases.add("bias_softmax_inner", "BiasSoftmax", [("x", f("s", 2, 3, 4, 8)), ("bias", f("sb", 2, 1, 1, 8))], ["y"],
              {"axis": 3, "is_inner_broadcast": 1}, formula=lambda x, b: [(softmax(x + b, 3), np.float32)])
    cases.add("bias_softmax_outer", "BiasSoftmax", [("x", f("s", 2, 3, 4, 8)), ("bias", f("so", 1, 1, 4, 8))], ["y"],
              {"axis": 2, "is_inner_broadcast": 0}, formula=lambda x, b: [(softmax(x + b, (2, 3)), np.float32)])
    cases.add("bias_add", "BiasAdd", [("x", x), ("bias", f("b", 8)), ("skip", f("skip", 2, 3, 8))], ["y"],
              formula=lambda x, b, s: [(x.astype(np.float64) + b + s, np.float32)])
    cases.add("bias_split_gelu", "BiasSplitGelu", [("x", x), ("bias", f("b", 8))], ["y"],
              formula=lambda x, b: [((x + b)[..., :4] * gelu((x + b)[..., 4:].astype(np.float64)), np.float32)])
    nhwc, gamma, beta = f("gn", 2, 3, 4, 8), f("g", 8), f("be", 8)
    cases.add("group_norm", "GroupNorm", [("x", nhwc), ("gamma", gamma), ("beta", beta)], ["y"], {"groups": 4, "activation": 1},
              formula=lambda x, g, b: [(group_norm(x, g, b, 4, 1e-5, True), np.float32)])
    cases.add("skip_group_norm", "SkipGroupNorm", [("x", nhwc), ("gamma", gamma), ("beta", beta), ("skip", f("sg", 2, 8)), ("bias", f("b", 8))],
              ["y", "sum"], {"groups": 2, "activation": 0, "epsilon": 1e-3},
              formula=lambda x, g, b, s, c: [(group_norm(x + s[:, None, None] + c, g, b, 2, 1e-3, False), np.float32),
                                             (x.astype(np.float64) + s[:, None, None] + c, np.float32)])

    cases.add("layer_norm_of_version_1", "LayerNormalization", [("x", x), ("scale", f("g", 8)), ("bias", f("b", 8))], ["y"],
              {"epsilon": 1e-5, "axis": -1}, domain="", opset=16)
    cases.add("simplified_layer_norm", "SimplifiedLayerNormalization", [("x", x), ("scale", f("g", 8))], ["y"],
              {"epsilon": 1e-6, "axis": -1}, domain="", dynamic=dynamic)
    skip = [("x", x), ("skip", f("skip", 2, 3, 8)), ("gamma", f("g", 8)), ("beta", f("be", 8)), ("bias", f("b", 8))]
    cases.add("skip_layer_norm", "SkipLayerNormalization", skip, ["y", "", "", "sum"], {"epsilon": 1e-5}, dynamic=dynamic)
    cases.add("skip_layer_norm_plain", "SkipLayerNormalization", skip[:3], ["y"])
    cases.add("skip_layer_norm_broadcast", "SkipLayerNormalization", [skip[0], ("skip", f("s1", 1, 3, 8)), skip[2], skip[3]], ["y"])
    rms = [("x", x), ("skip", f("skip", 2, 3, 8)), ("gamma", f("g", 8)), ("bias", f("b", 8))]
    cases.add("skip_simplified_layer_norm", "SkipSimplifiedLayerNormalization", rms, ["y", "", "", "sum"], {"epsilon": 1e-6})
    cases.add("skip_simplified_layer_norm_fixed", "SkipSimplifiedLayerNormalization", rms[:3], ["y", "", "", "sum"], {"epsilon": 1e-6},
              fixed=("gamma",), dynamic={"x": {0: "batch", 1: "sequence"}, "skip": {0: "batch", 1: "sequence"}})

    ids = np.array([[1, 4, 2], [0, 3, 3]], np.int32)
    kinds = np.array([[0, 0, 1], [1, 0, 0]], np.int32)
    mask = np.array([[1, 1, 1], [1, 1, 0]], np.int32)
    tables = [("words", f("w", 6, 8)), ("positions", f("p", 5, 8)), ("segments", f("se", 2, 8)), ("gamma", f("g", 8)), ("beta", f("be", 8))]
    cases.add("embed_layer_norm", "EmbedLayerNormalization", [("ids", ids), ("kinds", kinds)] + tables + [("mask", mask)], ["y", "counts"],
              dynamic={"ids": {0: "batch", 1: "sequence"}, "kinds": {0: "batch", 1: "sequence"}, "mask": {0: "batch", 1: "sequence"}})
    cases.add("embed_layer_norm_no_segments", "EmbedLayerNormalization",
              [("ids", ids), ("kinds", None)] + tables[:2] + [("segments", None)] + tables[3:], ["y", "counts"])
    cases.add("embed_layer_norm_positions", "EmbedLayerNormalization",
              [("ids", ids), ("kinds", kinds)] + tables + [("mask", mask), ("places", np.array([[2, 0, 4], [1, 1, 3]], np.int32))],
              ["y", "counts", "sum"])

    a, b = f("a", 2, 3, 4, 5), f("bb", 2, 3, 5, 6)
    cases.add("fused_matmul_alpha", "FusedMatMul", [("a", a), ("b", b)], ["y"], {"alpha": 0.25})
    cases.add("fused_matmul_transposed", "FusedMatMul", [("a", f("at", 2, 3, 5, 4)), ("b", f("bt", 2, 3, 6, 5))], ["y"],
              {"transA": 1, "transB": 1})
    cases.add("fused_matmul_batch_a", "FusedMatMul", [("a", f("ab", 4, 2, 3, 5)), ("b", b)], ["y"], {"transBatchA": 1})
    cases.add("fused_matmul_batch_both", "FusedMatMul", [("a", f("ac", 5, 2, 3, 4)), ("b", f("bc", 6, 2, 3, 5))], ["y"],
              {"transBatchA": 1, "transA": 1, "transBatchB": 1, "transB": 1, "alpha": 2.0})
    cases.add("transpose_matmul", "TransposeMatMul", [("a", f("at", 2, 3, 5, 4)), ("b", b)], ["y"], {"transA": 1})
    gemm = [("a", f("ga", 3, 5)), ("b", f("gb", 5, 4)), ("c", f("gc", 4))]
    for activation, more in [("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.2}), ("Sigmoid", {}), ("Tanh", {})]:
        cases.add(f"fused_gemm_{activation.lower()}", "FusedGemm", gemm, ["y"], {"activation": activation, "alpha": 0.5, "beta": 2.0, **more})

    image, kernel = f("im", 1, 4, 6, 5), f("k", 3, 4, 3, 3)
    cases.add("fused_conv_relu", "FusedConv", [("x", image), ("w", kernel), ("b", f("cb", 3))], ["y"],
              {"activation": "Relu", "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]})
    cases.add("fused_conv_sum", "FusedConv", [("x", image), ("w", kernel), ("b", f("cb", 3)), ("z", f("z", 1, 3, 6, 5))], ["y"],
              {"activation": "LeakyRelu", "activation_params": [0.1], "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]})
    cases.add("fused_conv_clip", "FusedConv", [("x", image), ("w", kernel)], ["y"],
              {"activation": "Clip", "activation_params": [-0.5, 2.0], "strides": [2, 1], "kernel_shape": [3, 3]})
    cases.add("fused_conv_hard_sigmoid", "FusedConv", [("x", image), ("w", kernel)], ["y"],
              {"activation": "HardSigmoid", "activation_params": [0.3, 0.4], "kernel_shape": [3, 3]})
    cases.add("pad", "Pad", [("x", f("pad", 2, 3)), ("pads", np.array([1, 0, 0, 2], np.int64)), ("value", np.array([1.5], np.float32))], ["y"],
              {"mode": "constant"}, fixed=("pads",))
    cases.add("trilu", "Trilu", [("x", f("tri", 2, 4, 5))], ["y"], {"upper": 0})
    cases.add("gather_nd", "GatherND", [("x", f("nd", 3, 4, 2)), ("at", np.array([[0, 3], [2, 1]], np.int64))], ["y"])
    cases.add("expand_dims", "ExpandDims", [("x", f("ed", 3, 4)), ("axis", np.array(-1, np.int32))], ["y"], fixed=("axis",))
    cases.add("cdist", "CDist", [("a", f("ca", 3, 5)), ("b", f("cbb", 4, 5))], ["y"], {"metric": "euclidean"})
    cases.add("cdist_squares", "CDist", [("a", f("ca", 3, 5)), ("b", f("cbb", 4, 5))], ["y"], {"metric": "sqeuclidean"})
    cases.add("grid_sample", "GridSample", [("x", f("gs", 1, 2, 4, 5)), ("grid", f("gr", 1, 3, 3, 2, scale=0.6))], ["y"],
              {"mode": "bilinear", "padding_mode": "border"})
    # Of version 10 of ai.onnx, whose reference implementation is no more.
    for scales in ([1, 1, 2, 3], [1, 1, 0.5, 0.6]):
        for mode in ("nearest", "linear"):
            cases.add(f"resize_10_{mode}_{scales[2]}", "Resize", [("x", f("rs", 1, 2, 4, 5)), ("scales", np.array(scales, np.float32))], ["y"],
                      {"mode": mode}, fixed=("scales",), domain="", opset=10)
    cases.add("max_roi_pool", "MaxRoiPool",
              [("x", f("mr", 2, 3, 6, 7)), ("rois", np.array([[0, 0, 0, 4, 5], [1, 2, 1, 6, 5], [0, 3.4, 2.6, 3.5, 2.5]], np.float32))], ["y"],
              {"pooled_shape": [2, 3], "spatial_scale": 0.9}, domain="")
    cases.add("conv_transpose_groups", "ConvTranspose", [("x", f("ct", 1, 4, 3, 3)), ("w", f("cw", 4, 2, 3, 2)), ("b", f("cbt", 4))], ["y"],
              {"group": 2, "strides": [2, 1], "pads": [1, 0, 0, 1], "dilations": [1, 2], "output_padding": [1, 0]}, domain="")
    cases.add("conv_dynamic_same", "Conv", [("x", f("cd", 2, 3, 7, 6)), ("w", f("cdw", 4, 3, 3, 3))], ["y"],
              {"auto_pad": "SAME_LOWER", "strides": [2, 2]}, fixed=("w",), domain="", dynamic={"x": {0: "batch", 2: "height", 3: "width"}})
    cases.add("conv_1d_groups", "Conv", [("x", f("c1", 2, 6, 9)), ("w", f("c1w", 6, 1, 3)), ("b", f("c1b", 6))], ["y"],
              {"group": 6, "dilations": [2], "pads": [2, 2]}, fixed=("w", "b"), domain="", dynamic={"x": {0: "batch", 2: "length"}})
    cases.add("max_pool_indices_dynamic", "MaxPool", [("x", f("mp", 2, 3, 5, 6))], ["y", "at"],
              {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1], "ceil_mode": 1}, domain="",
              dynamic={"x": {0: "batch", 2: "height", 3: "width"}})
    cases.add("average_pool_dynamic", "AveragePool", [("x", f("ap", 2, 3, 5, 6))], ["y"],
              {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 0}, domain="",
              dynamic={"x": {0: "batch", 2: "height", 3: "width"}})
    cases.add("lp_pool_dynamic", "LpPool", [("x", f("lp", 2, 3, 5, 6))], ["y"], {"kernel_shape": [2, 2], "p": 3}, domain="",
              dynamic={"x": {2: "height", 3: "width"}})
    cases.add("resize_dynamic_scales", "Resize", [("x", f("rd", 1, 2, 5, 4)), ("roi", None), ("scales", np.array([1, 1, 1.5, 2], np.float32))], ["y"],
              {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}, fixed=("scales",), domain="",
              dynamic={"x": {0: "batch", 2: "height", 3: "width"}})
    cases.add("resize_cubic_excluded", "Resize", [("x", f("rc", 1, 1, 5, 4)), ("roi", None), ("scales", np.array([1, 1, 1.4, 0.8], np.float32))], ["y"],
              {"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5}, fixed=("scales",), domain="")
    shape_of = [helper.make_node("Shape", ["like"], ["size"]),
                helper.make_node("Resize", ["x", "", "", "size"], ["y"], mode="nearest", coordinate_transformation_mode="asymmetric",
                                 nearest_mode="floor")]
    cases.add("resize_to_shape", "", [("x", f("rt", 1, 2, 3, 4)), ("like", f("rl", 1, 2, 6, 7))], ["y"], domain="", nodes=shape_of,
              dynamic={"x": {2: "h", 3: "w"}, "like": {2: "height", 3: "width"}})

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""com.microsoft's quantized operators."""
import numpy as np


def make(cases):
    def f(name, *shape, scale=1.0):
        return (cases.random(name).standard_normal(shape) * scale).astype(np.float32)

    def q(name, dtype, *shape):
        # Signed ones are weights, so small that ONNX Runtime's sums of two products with bytes fit 16 bits where it has no better
        # instruction: it saturates there.
        low, high = (-60, 60) if dtype == np.int8 else (0, 255)
        return cases.random(name).integers(low, high + 1, shape).astype(dtype)

    def n(value, dtype=np.float32):
        return np.array(value, dtype)

    for bits in (4, 8):
        rows, columns, block = 6, 40, 16
        blocks = (columns + block - 1) // block
        b = q(f"nb{bits}", np.uint8, rows, blocks, block * bits // 8)
        scales = np.abs(f(f"ns{bits}", rows, blocks, scale=0.1)) + np.float32(0.01)
        zeros = q(f"nz{bits}", np.uint8, rows, (blocks * bits + 7) // 8)
        attributes = {"K": columns, "N": rows, "bits": bits, "block_size": block}
        base = [("a", f("na", 2, 3, columns)), ("b", b), ("scales", scales)]
        cases.add(f"matmul_nbits_{bits}", "MatMulNBits", base, ["y"], attributes, fixed=("b", "scales"), tolerance=1e-3,
                  dynamic={"a": {0: "batch", 1: "sequence"}})
        cases.add(f"matmul_nbits_{bits}_zeros", "MatMulNBits", base + [("zeros", zeros)], ["y"], attributes,
                  fixed=("b", "scales", "zeros"), tolerance=1e-3, dynamic={"a": {0: "batch", 1: "sequence"}})
    cases.add("matmul_nbits_bias", "MatMulNBits", [("a", f("na", 2, 3, 32)), ("b", q("nbb", np.uint8, 5, 2, 8)), ("scales", np.abs(f("nsb", 5, 2, scale=0.1))),
              ("zeros", None), ("g", None), ("bias", f("nbias", 5))], ["y"], {"K": 32, "N": 5, "bits": 4, "block_size": 16},
              fixed=("b", "scales", "bias"), tolerance=1e-3)
    table, at = q("gt", np.uint8, 7, 16), np.array([[0, 6, 3], [2, 2, 5]], np.int64)
    scales = np.abs(f("gsc", 7, 2, scale=0.1))
    cases.add("gather_block_quantized", "GatherBlockQuantized", [("data", table), ("at", at), ("scales", scales)], ["y"],
              {"bits": 4, "block_size": 16, "quantize_axis": 1, "gather_axis": 0}, fixed=("data", "scales"))
    cases.add("gather_block_quantized_zeros", "GatherBlockQuantized",
              [("data", table), ("at", at), ("scales", scales), ("zeros", q("gz", np.uint8, 7, 1))], ["y"],
              {"bits": 4, "block_size": 16, "quantize_axis": 1, "gather_axis": 0}, fixed=("data", "scales", "zeros"))

    a8, b8 = q("a8", np.uint8, 2, 3, 8), q("b8", np.int8, 8, 5)
    cases.add("matmul_integer_to_float", "MatMulIntegerToFloat",
              [("a", a8), ("b", b8), ("as", n(0.02)), ("bs", n(0.03)), ("az", n(120, np.uint8)), ("bz", n(3, np.int8)), ("bias", f("mb", 5))], ["y"])
    cases.add("matmul_integer_to_float_columns", "MatMulIntegerToFloat",
              [("a", a8), ("b", b8), ("as", n([0.02])), ("bs", np.abs(f("bsc", 5, scale=0.05))), ("az", n([7], np.uint8)),
               ("bz", q("bzc", np.int8, 5))], ["y"], fixed=("b", "bs", "bz"))
    cases.add("dynamic_quantize_matmul", "DynamicQuantizeMatMul",
              [("a", f("dq", 2, 3, 8)), ("b", b8), ("bs", n(0.03)), ("bz", n(2, np.int8)), ("bias", f("mb", 5))], ["y"],
              dynamic={"a": {0: "batch", 1: "sequence"}})
    g = [("a", q("qa", np.uint8, 3, 8)), ("as", n(0.02)), ("az", n(110, np.uint8)), ("b", q("qb", np.int8, 5, 8)), ("bs", n(0.01)), ("bz", n(0, np.int8))]
    cases.add("qgemm_float", "QGemm", g, ["y"], {"transB": 1, "alpha": 0.5})
    cases.add("qgemm_quantized", "QGemm", g + [("c", cases.random("qc").integers(-999, 999, (5,)).astype(np.int32)), ("ys", n(0.05)),
              ("yz", n(100, np.uint8))], ["y"], {"transB": 1, "alpha": 1.0})

    x, y = q("qx", np.uint8, 2, 3, 4), q("qy", np.uint8, 2, 3, 4)
    pair = [("a", x), ("as", n(0.03)), ("az", n(127, np.uint8)), ("b", y), ("bs", n(0.02)), ("bz", n(100, np.uint8)), ("cs", n(0.06)),
            ("cz", n(130, np.uint8))]
    cases.add("qlinear_add", "QLinearAdd", pair, ["y"])
    cases.add("qlinear_mul", "QLinearMul", pair, ["y"])
    one = [("x", x), ("xs", n(0.03)), ("xz", n(127, np.uint8)), ("ys", n(1 / 256)), ("yz", n(0, np.uint8))]
    cases.add("qlinear_sigmoid", "QLinearSigmoid", one, ["y"])
    cases.add("qlinear_leaky_relu", "QLinearLeakyRelu", one[:3] + [("ys", n(0.02)), ("yz", n(40, np.uint8))], ["y"], {"alpha": 0.2})
    cases.add("qlinear_softmax", "QLinearSoftmax", one, ["y"], {"axis": -1, "opset": 13})
    wide = one[:3] + [("ys", n(0.02)), ("yz", n(90, np.uint8))]
    cases.add("qlinear_reduce_mean", "QLinearReduceMean", wide, ["y"], {"axes": [1], "keepdims": 0},
              formula=lambda x, xs, xz, ys, yz: [(np.clip(np.rint(((x.astype(np.float64) - xz) * xs).mean(1) / ys) + yz, 0, 255), np.uint8)])
    image = [("x", q("qi", np.uint8, 1, 2, 5, 6))] + wide[1:]
    cases.add("qlinear_average_pool", "QLinearAveragePool", image, ["y"], {"kernel_shape": [2, 3], "strides": [1, 2], "pads": [1, 0, 0, 1]})
    cases.add("qlinear_average_pool_last", "QLinearAveragePool", [("x", q("ql", np.uint8, 1, 5, 6, 2))] + wide[1:], ["y"],
              {"kernel_shape": [2, 2], "channels_last": 1})
    cases.add("qlinear_global_average_pool", "QLinearGlobalAveragePool", image, ["y"])
    cases.add("qlinear_concat", "QLinearConcat", [("ys", n(0.05)), ("yz", n(120, np.uint8)), ("a", x), ("as", n(0.03)), ("az", n(127, np.uint8)),
              ("b", y), ("bs", n(0.04)), ("bz", n(20, np.uint8))], ["y"], {"axis": 1})
    cases.add("qlinear_where", "QLinearWhere", [("c", cases.random("qw").integers(0, 2, (2, 3, 4)).astype(bool)), ("x", x), ("xs", n(0.03)),
              ("xz", n(127, np.uint8)), ("y", y), ("ys", n(0.02)), ("yz", n(100, np.uint8)), ("zs", n(0.05)), ("zz", n(128, np.uint8))], ["z"])
    cases.add("quantize_linear", "QuantizeLinear", [("x", f("ql", 3, 4)), ("s", n(0.02)), ("z", n(128, np.uint8))], ["y"])
    cases.add("dequantize_linear", "DequantizeLinear", [("x", q("dl", np.int8, 3, 4)), ("s", n(0.02)), ("z", n(3, np.int8))], ["y"])
    weights = q("aw", np.int8, 8, 24)
    attention = [("x", q("ax", np.uint8, 2, 3, 8)), ("w", weights), ("b", f("ab", 24)), ("xs", n(0.02)), ("ws", n(0.02)), ("mask", np.array([3, 2], np.int32)),
                 ("xz", n(120, np.uint8)), ("wz", n(0, np.int8))]
    cases.add("qattention", "QAttention", attention, ["y"], {"num_heads": 2}, fixed=("w", "b"))
    cases.add("qattention_past", "QAttention", attention[:5] + [("mask", None)] + attention[6:] + [("past", f("apast", 2, 2, 2, 4, 4))],
              ["y", "present"], {"num_heads": 2, "unidirectional": 1}, fixed=("w", "b"))

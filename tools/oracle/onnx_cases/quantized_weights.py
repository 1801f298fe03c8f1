# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products with constants that a quantizer wrote: each becomes a product of the file's own codes, or, where no layout holds these, of the
numbers they stand for. Sizes are no multiples of groups or of panels of 16 rows."""
import ml_dtypes
import numpy as np
from onnx import TensorProto, helper


def make(cases):
    def f(name, *shape, scale=1.0):
        return (cases.random(name).standard_normal(shape) * scale).astype(np.float32)

    def q(name, dtype, low, high, *shape):
        return cases.random(name).integers(low, high + 1, shape).astype(dtype)

    def positive(name, *shape):
        return np.abs(f(name, *shape, scale=0.05)) + np.float32(0.005)

    node = helper.make_node
    n, k = 19, 200
    batch = {"x": {0: "batch"}}
    x = ("x", f("x", 5, k))

    # Blocks that groups of 32, 64 and 128 hold, that they do not, and larger ones; zero points of the middle, packed, and of floats.
    for block in (16, 32, 64, 128, 256):
        for bits in (4, 8):
            blocks = -(-k // block)
            each = 8 // bits
            name = f"nbits{bits}_{block}"
            b = q(name, np.uint8, 0, 255, n, blocks, block * bits // 8)
            scales = positive(name, n, blocks)
            zeros = {"": None, "_middle": np.full((n, -(-blocks // each)), 0x88 if bits == 4 else 0x80, np.uint8),
                     "_zeros": q(name + "z", np.uint8, 0, 255, n, -(-blocks // each))}
            if block == 32 and bits == 4:
                zeros["_float_zeros"] = f(name + "f", n, blocks) + 7
            for kind, value in zeros.items():
                cases.add(f"{name}{kind}", "MatMulNBits", [x, ("b", b), ("scales", scales)] + ([("zeros", value)] if value is not None else []),
                          ["y"], {"K": k, "N": n, "bits": bits, "block_size": block},
                          fixed=("b", "scales") + (("zeros",) if value is not None else ()), dynamic=batch)
    level = [x, ("b", q("level", np.uint8, 0, 255, n, 7, 16)), ("scales", positive("level", n, 7)), ("bias", f("level bias", n))]
    attributes = {"K": k, "N": n, "bits": 4, "block_size": 32}
    cases.add("nbits4_bias", "MatMulNBits", level[:3] + [("zeros", None), ("order", None), level[3]], ["y"], attributes,
              fixed=("b", "scales", "bias"), dynamic=batch)
    # Both sides round activations to 8 bits, ONNX Runtime block by block and Ingot row by row: by 1/254 of the largest at most.
    cases.add("nbits4_level_4", "MatMulNBits", level[:3], ["y"], {**attributes, "accuracy_level": 4}, fixed=("b", "scales"), tolerance=0.02,
              dynamic=batch)

    # DequantizeLinear of weights, as they stand and turned.
    def dequantized(name, w, scales, zeros, turned=False, dtype=None, **attributes):
        inputs = [x, ("w", w), ("s", scales)] + ([("z", zeros)] if zeros is not None else [])
        nodes = [node("DequantizeLinear", [key for key, _ in inputs[1:]], ["d"], **attributes)]
        if turned:
            nodes.append(node("Transpose", ["d"], ["t"], perm=[1, 0]))
        nodes.append(node("MatMul", ["x", "t" if turned else "d"], ["y"]))
        cases.add(name, None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in inputs[1:]), dynamic=batch)

    for dtype, low, high in ((np.int8, -128, 127), (np.uint8, 0, 255), (ml_dtypes.int4, -8, 7), (ml_dtypes.uint4, 0, 15)):
        label = np.dtype(dtype).name
        w, turned = q(label, dtype, low, high, k, n), q(label + "t", dtype, low, high, n, k)
        dequantized(f"dequantize_{label}", w, positive(label).reshape(()), None)
        dequantized(f"dequantize_{label}_columns", w, positive(label + "c", n), q(label + "cz", dtype, low, high, n), axis=1)
        dequantized(f"dequantize_{label}_rows", w, positive(label + "r", k), q(label + "rz", dtype, low, high, k), axis=0)
        dequantized(f"dequantize_{label}_turned", turned, positive(label + "t", n), q(label + "tz", dtype, low, high, n), turned=True, axis=0)
        for block in (20, 40, 64):
            blocks = -(-k // block)
            if k % block == 0 or block == 64:
                dequantized(f"dequantize_{label}_blocks_{block}", w, positive(label + "b", blocks, n),
                            q(label + "bz", dtype, low, high, blocks, n), axis=0, block_size=block)
        dequantized(f"dequantize_{label}_blocks_of_columns", q(label + "w", dtype, low, high, k, 64), positive(label + "w", k, 2),
                    q(label + "wz", dtype, low, high, k, 2), axis=1, block_size=32)

    # Codes of activations: given scales, and those of DynamicQuantizeLinear.
    for activations in (np.uint8, np.int8):
        for weights, low, high in ((np.int8, -60, 60), (np.uint8, 0, 120)):
            label = f"{np.dtype(activations).name}_{np.dtype(weights).name}"
            zero = np.array(117 if activations is np.uint8 else -9, activations)
            columns = ("w", q(label, weights, low, high, k, n)), ("ws", positive(label, n)), ("wz", q(label + "z", weights, low, high, n))
            one = ("w", q(label, weights, low, high, k, n)), ("ws", positive(label).reshape(())), ("wz", np.array(3, weights))
            for kind, parts in (("columns", columns), ("one", one)):
                quantized = [("xs", np.float32(0.03)), ("xz", zero)]
                nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["q"]), node("DequantizeLinear", ["q", "xs", "xz"], ["d"]),
                         node("DequantizeLinear", ["w", "ws", "wz"], ["v"], **({"axis": 1} if kind == "columns" else {})),
                         node("MatMul", ["d", "v"], ["m"]), node("Add", ["m", "bias"], ["y"])]
                inputs = [x, *quantized, *parts, ("bias", f("bias", n))]
                cases.add(f"qdq_{label}_{kind}", None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in inputs[1:]), dynamic=batch)
                if activations is np.int8 and weights is np.uint8:  # which ONNX Runtime has not
                    continue
                result = [("ys", np.float32(0.2)), ("yz", np.array(100 if activations is np.uint8 else 5, activations))]
                nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
                         node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])]
                inputs = [x, *quantized, *parts, *result]
                cases.add(f"qlinear_{label}_{kind}", None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in inputs[1:]), dynamic=batch)
    for weights, low, high in ((np.int8, -60, 60), (np.uint8, 0, 120)):
        label = np.dtype(weights).name
        for per_column in (False, True):
            shape = (n,) if per_column else ()
            inputs = [("x", f("x", 2, 3, k)), ("w", q(label, weights, low, high, k, n)), ("ws", positive(label + "d", *shape).reshape(shape)),
                      ("wz", q(label + "dz", weights, low, high, *shape)), ("bias", f("bias", n))]
            nodes = [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
                     node("Cast", ["i"], ["c"], to=TensorProto.FLOAT), node("Mul", ["s", "ws"], ["both"]), node("Mul", ["c", "both"], ["m"]),
                     node("Add", ["m", "bias"], ["y"])]
            cases.add(f"dynamic_{label}{'_columns' if per_column else ''}", None, inputs, ["y"], nodes=nodes,
                      fixed=("w", "ws", "wz", "bias"), dynamic={"x": {0: "batch", 1: "sequence"}})
    # The sums themselves are wanted too.
    inputs = [("x", q("sums", np.uint8, 0, 255, 4, 40)), ("w", q("sums w", np.int8, -60, 60, 40, 9)), ("s", np.float32(0.125))]
    nodes = [node("MatMulInteger", ["x", "w"], ["i"]), node("Cast", ["i"], ["c"], to=TensorProto.FLOAT), node("Mul", ["c", "s"], ["y"])]
    cases.add("sums_and_floats", None, inputs, ["i", "y"], nodes=nodes, fixed=("w", "s"), dynamic=batch)

    # Convolutions.
    image = ("x", f("image", 2, 5, 7, 8))
    w = ("w", q("kernel", np.int8, -60, 60, 12, 5, 3, 3))
    quantized = [("xs", np.float32(0.03)), ("xz", np.array(131, np.uint8))]
    window = {"pads": [1, 0, 1, 2], "strides": [2, 1]}
    scales = ("ws", positive("kernel", 12)), ("wz", np.zeros(12, np.int8))
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["q"]), node("DequantizeLinear", ["q", "xs", "xz"], ["d"]),
             node("DequantizeLinear", ["w", "ws", "wz"], ["v"], axis=0), node("Conv", ["d", "v", "bias"], ["y"], **window)]
    inputs = [image, *quantized, w, *scales, ("bias", f("bias", 12))]
    cases.add("qdq_convolution", None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in inputs[1:]), dynamic=batch)
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
             node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "c"], ["y"], **window)]
    inputs = [image, *quantized, w, *scales, ("ys", np.float32(0.2)), ("yz", np.array(90, np.uint8)), ("c", q("c", np.int32, -900, 900, 12))]
    cases.add("qlinear_convolution", None, inputs, ["y"], nodes=nodes, fixed=tuple(key for key, _ in inputs[1:]), dynamic=batch)
    nodes = [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("ConvInteger", ["q", "w", "z"], ["i"], **window),
             node("Cast", ["i"], ["c"], to=TensorProto.FLOAT), node("Mul", ["c", "s"], ["y"])]
    cases.add("dynamic_convolution", None, [image, w], ["y"], nodes=nodes, fixed=("w",), dynamic=batch)

    # com.microsoft's own.
    codes = ("a", q("a", np.uint8, 0, 255, 5, k))
    parts = [("w", q("own", np.int8, -60, 60, k, n)), ("as", np.float32(0.03)), ("ws", positive("own", n)), ("az", np.array(120, np.uint8)),
             ("wz", np.zeros(n, np.int8)), ("bias", f("bias", n))]
    cases.add("integer_to_float", "MatMulIntegerToFloat", [codes, *parts], ["y"], fixed=tuple(key for key, _ in parts), dynamic={"a": {0: "batch"}})
    cases.add("dynamic_matmul", "DynamicQuantizeMatMul", [x, parts[0], parts[2], parts[4], parts[5]], ["y"],
              fixed=("w", "ws", "wz", "bias"), dynamic=batch)
    gemm = [codes, parts[1], parts[3], ("w", q("own", np.int8, -60, 60, n, k)), parts[2], parts[4], ("c", q("c", np.int32, -900, 900, n)),
            ("ys", np.float32(0.2)), ("yz", np.array(90, np.uint8))]
    cases.add("qgemm", "QGemm", gemm, ["y"], {"transB": 1}, fixed=tuple(key for key, _ in gemm[1:]), dynamic={"a": {0: "batch"}})

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention, norms and activations as exporters write them, and what is to be recognized: as JAX's flax, Keras 3, GluonNLP, PaddleNLP and TensorFlow's
first BERT do, and GELU in other words."""
import numpy as np
from onnx import TensorProto, helper

BATCH, LENGTH, WIDTH, HEADS = 2, 6, 16, 2
SIZE = WIDTH // HEADS


class Writer:
    """Nodes in order; arrays that are given as operands become initializers."""

    def __init__(self, cases, name):
        self.random, self.nodes, self.constants, self.inputs, self.dynamic = cases.random(name), [], [], [], {}

    def constant(self, array):
        self.constants.append((f"c{len(self.constants)}", np.asarray(array)))
        return self.constants[-1][0]

    def weight(self, *shape, scale=None):
        return self.constant((self.random.standard_normal(shape) * (scale or 1 / np.sqrt(shape[0]))).astype(np.float32))

    def input(self, name, array, *dims):
        self.inputs.append((name, array))
        self.dynamic[name] = {axis: dim for axis, dim in enumerate(dims) if dim}
        return name

    def x(self, *dims):
        sizes = {"batch": BATCH, "length": LENGTH}
        return self.input("x", self.random.standard_normal([sizes[dim] for dim in dims] + [WIDTH]).astype(np.float32), *dims)

    def __call__(self, op, *operands, n=1, **attributes):
        names = [each if isinstance(each, str) else self.constant(each) for each in operands]
        outputs = [f"v{len(self.nodes)}_{i}" for i in range(n)]
        self.nodes.append(helper.make_node(op, names, outputs, **attributes))
        return outputs[0] if n == 1 else outputs

    def linear(self, x, k, n):
        return self("Add", self("MatMul", x, self.weight(k, n)), self.weight(n, scale=0.3))


def whole(*values):
    return np.array(values, np.int64)


def flax(w):
    """Einsum, softmax by its parts, variance by two means, cubes by products."""
    x, mask = w.x("batch", "length"), w.input("mask", np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]], np.int64), "batch", "length")

    def norm(x):
        mean, square = w("ReduceMean", x, axes=[-1]), w("ReduceMean", w("Mul", x, x), axes=[-1])
        variance = w("Max", w("Sub", square, w("Mul", mean, mean)), np.float32(0))
        scale = w("Mul", w("Reciprocal", w("Sqrt", w("Add", variance, np.float32(1e-6)))), w.weight(WIDTH))
        return w("Add", w("Mul", w("Sub", x, mean), scale), w.weight(WIDTH))

    inside = norm(x)
    q, k, v = (w("Reshape", w.linear(inside, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)) for _ in range(3))
    scores = w("Einsum", w("Div", q, np.float32(np.sqrt(SIZE))), k, equation="bqhd,bkhd->bhqk")
    seen = w("Unsqueeze", w("Greater", mask, np.int64(0)), whole(1, 2))
    scores = w("Add", scores, w("Where", seen, np.float32(0), np.float32(-1e10)))
    powers = w("Exp", w("Sub", scores, w("ReduceMax", scores, axes=[-1])))
    mixed = w("Einsum", w("Div", powers, w("ReduceSum", powers, whole(-1))), v, equation="bhqk,bkhd->bqhd")
    x = w("Add", x, w.linear(w("Reshape", mixed, whole(0, 0, WIDTH)), WIDTH, WIDTH))
    h = w.linear(norm(x), WIDTH, 32)
    argument = w("Mul", w("Add", h, w("Mul", w("Mul", w("Mul", h, h), h), np.float32(0.044715))), np.float32(np.sqrt(2 / np.pi)))
    h = w("Mul", h, w("Mul", w("Add", w("Tanh", argument), np.float32(1)), np.float32(0.5)))
    return [w("Add", x, w.linear(h, 32, WIDTH))], "1 attention, 2 layer norm, 1 GELU (tanh), 6 linear"


def keras(w):
    """Projections by Einsum into heads, keys by queries, norms as x * s + (beta - mean * s), GELU by erfc."""
    x = w.x("batch", "length")

    def norm(x):
        mean = w("ReduceMean", x, axes=[-1])
        centred = w("Sub", x, mean)
        variance = w("ReduceMean", w("Mul", centred, centred), axes=[-1])
        scale = w("Mul", w("Reciprocal", w("Sqrt", w("Add", variance, np.float32(1e-3)))), w.weight(WIDTH))
        return w("Add", w("Mul", x, scale), w("Sub", w.weight(WIDTH), w("Mul", mean, scale)))

    inside = norm(x)
    q, k, v = (w("Add", w("Einsum", inside, w.weight(WIDTH, HEADS, SIZE), equation="abc,cde->abde"), w.weight(HEADS, SIZE, scale=0.2)) for _ in range(3))
    scores = w("Einsum", k, w("Mul", q, np.float32(SIZE**-0.5)), equation="aecd,abcd->acbe")
    mixed = w("Einsum", w("Softmax", scores, axis=3), v, equation="acbe,aecd->abcd")
    x = w("Add", x, w("Add", w("Einsum", mixed, w.weight(HEADS, SIZE, WIDTH), equation="abcd,cde->abe"), w.weight(WIDTH)))
    h = w.linear(norm(x), WIDTH, 32)
    rest = w("Sub", np.float32(1), w("Erf", w("Mul", w("Neg", h), np.float32(np.sqrt(0.5)))))
    return [w("Add", x, w.linear(w("Mul", w("Mul", np.float32(0.5), h), rest), 32, WIDTH))], "1 attention, 2 layer norm, 1 GELU, 6 linear"


def gluon(w):
    """Positions first, q, k and v of each head side by side, heads of all batches as one."""
    x = w.x("length", "batch")
    parts = w("Reshape", w.linear(x, WIDTH, 3 * WIDTH), whole(0, 0, HEADS, 3, SIZE))
    shape = w("Shape", x)
    length, batch = (w("Slice", shape, whole(i), whole(i + 1), whole(0)) for i in range(2))
    flat = w("Concat", w("Mul", batch, whole(HEADS)), length, whole(SIZE), axis=0)
    q, k, v = (w("Reshape", w("Transpose", w("Squeeze", w("Slice", parts, whole(i), whole(i + 1), whole(3)), whole(3)), perm=[1, 2, 0, 3]), flat)
               for i in range(3))
    scores = w("MatMul", w("Div", q, np.float32(np.sqrt(SIZE))), w("Transpose", k, perm=[0, 2, 1]))
    mixed = w("Reshape", w("MatMul", w("Softmax", scores, axis=2), v), w("Concat", batch, whole(HEADS), length, whole(SIZE), axis=0))
    return [w.linear(w("Reshape", w("Transpose", mixed, perm=[2, 0, 1, 3]), whole(0, 0, WIDTH)), WIDTH, WIDTH)], "1 attention, 2 linear"


def paddle(w):
    """Rotary tables cut from constants, keys by Tile, a causal mask by Trilu, scores kept above the lowest float."""
    x = w.x("batch", "length")
    mean = w("ReduceMean", w("Pow", x, np.float32(2)), axes=[-1])
    inside = w("Mul", w("Mul", w("Div", np.float32(1), w("Sqrt", w("Add", mean, np.float32(1e-6)))), x), w.weight(WIDTH))
    length = w("Slice", w("Shape", x), whole(1), whole(2), whole(0))
    angles = np.outer(np.arange(16), 10000.0 ** (-np.arange(0, SIZE, 2) / SIZE))
    angles = np.concatenate([angles, angles], -1)[None, :, None, :]
    cos, sin = (w("Slice", of(angles).astype(np.float32), whole(0), length, whole(1)) for of in (np.cos, np.sin))

    def heads(count):
        return w("Reshape", w("MatMul", inside, w.weight(WIDTH, count * SIZE)), whole(0, 0, count, SIZE))

    def turned(t):
        a, b = w("Slice", t, whole(0), whole(SIZE // 2), whole(3)), w("Slice", t, whole(SIZE // 2), whole(2**31), whole(3))
        return w("Add", w("Mul", t, cos), w("Mul", w("Concat", w("Neg", b), a, axis=-1), sin))

    def repeated(t):
        return w("Reshape", w("Tile", w("Unsqueeze", t, whole(3)), whole(1, 1, 1, HEADS, 1)), whole(0, 0, HEADS, SIZE))

    q, k, v = turned(heads(HEADS)), repeated(turned(heads(1))), repeated(heads(1))
    q, k, v = (w("Transpose", t, perm=[0, 2, 1, 3]) for t in (q, k, v))
    scores = w("MatMul", w("Div", q, np.float32(np.sqrt(SIZE))), w("Transpose", k, perm=[0, 1, 3, 2]))
    scores = w("Add", scores, w("Trilu", w("Expand", np.float32(-1e9), w("Concat", length, length, axis=0)), np.int64(1), upper=1))
    mixed = w("MatMul", w("Softmax", w("Max", scores, np.finfo(np.float32).min), axis=-1), v)
    return [w("MatMul", w("Reshape", w("Transpose", mixed, perm=[0, 2, 1, 3]), whole(0, 0, WIDTH)), w.weight(WIDTH, WIDTH))], \
        "1 attention, 1 RMS norm, 4 linear"


def minus_infinity_kept_finite(w):
    """Rows that see nothing: their probabilities are equal, as the maximum says."""
    x, mask = w.x("batch", "length"), w.input("mask", np.array([[1, 1, 0, 0, 1, 0], [0] * 6], bool), "batch", "length")
    q, k, v = (w("Transpose", w("Reshape", w.linear(x, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for _ in range(3))
    bias = w("Where", w("Unsqueeze", mask, whole(1, 2)), np.float32(0), np.float32(-np.inf))
    scores = w("Add", w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5)), bias)
    mixed = w("MatMul", w("Softmax", w("Max", scores, np.finfo(np.float32).min), axis=-1), v)
    return [w("Reshape", w("Transpose", mixed, perm=[0, 2, 1, 3]), whole(0, 0, WIDTH))], "1 attention, 3 linear"


def first_bert(w):
    """Rows of all batches as one; a mask that ones are multiplied with."""
    x, mask = w.x("batch", "length"), w.input("mask", np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0]], np.int32), "batch", "length")
    shape = w("Shape", x)
    batch, length = (w("Slice", shape, whole(i), whole(i + 1), whole(0)) for i in range(2))
    rows, split = w("Reshape", x, whole(-1, WIDTH)), w("Concat", batch, length, whole(HEADS), whole(SIZE), axis=0)
    q, k, v = (w("Transpose", w("Reshape", w.linear(rows, WIDTH, WIDTH), split), perm=[0, 2, 1, 3]) for _ in range(3))
    scores = w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5))
    keys = w("Cast", w("Reshape", mask, w("Concat", batch, whole(1), length, axis=0)), to=TensorProto.FLOAT)
    ones = w("ConstantOfShape", w("Concat", batch, length, whole(1), axis=0), value=helper.make_tensor("", TensorProto.FLOAT, [1], [1.0]))
    hidden = w("Mul", w("Sub", np.float32(1), w("Unsqueeze", w("Mul", ones, keys), whole(1))), np.float32(-10000))
    mixed = w("MatMul", w("Softmax", w("Add", scores, hidden), axis=3), v)
    return [w.linear(w("Reshape", w("Transpose", mixed, perm=[0, 2, 1, 3]), whole(-1, WIDTH)), WIDTH, WIDTH)], "1 attention, 4 linear"


def keras_exported(w):
    """As Keras's own export has it: each input's dimensions named apart, means by pooling, choices as sums of products, also after the softmax, and
    ranges in floats."""
    ids, mask = w.input("ids", np.array([[3, 1, 4, 1, 5, 2], [6, 5, 3, 0, 0, 0]], np.int32), "unk_1", "unk_2"), \
        w.input("mask", np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], np.int32), "unk_3", "unk_4")
    x = w("Gather", w.weight(7, WIDTH), ids, axis=0)

    def norm(x):
        mean = w("GlobalAveragePool", x)
        centred = w("Sub", x, mean)
        variance = w("GlobalAveragePool", w("Mul", centred, centred))
        scale = w("Mul", w("Reciprocal", w("Sqrt", w("Add", variance, np.float32(1e-3)))), w.weight(WIDTH))
        return w("Add", w("Mul", x, scale), w("Add", w("Mul", w("Neg", mean), scale), w.weight(WIDTH)))

    inside = norm(x)
    length = w("Cast", w("Squeeze", w("Slice", w("Shape", inside), whole(1), whole(2)), whole(0)), to=TensorProto.FLOAT)
    places = w("Range", np.float32(0), length, np.float32(1))
    before = w("Cast", w("GreaterOrEqual", w("Unsqueeze", places, whole(1)), places), to=TensorProto.INT32)
    seen = w("Greater", w("Cast", w("Unsqueeze", w("Min", w("Unsqueeze", mask, whole(1)), w("Unsqueeze", before, whole(0))), whole(1)), to=TensorProto.FLOAT),
             np.float32(0))
    one, other = w("Cast", seen, to=TensorProto.FLOAT), w("Cast", w("Not", seen), to=TensorProto.FLOAT)
    q, k, v = (w("Reshape", w.linear(inside, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)) for _ in range(3))
    k, v, q = w("Transpose", k, perm=[0, 2, 1, 3]), w("Transpose", v, perm=[0, 2, 1, 3]), w("Transpose", w("Mul", q, np.float32(SIZE**-0.5)), perm=[0, 2, 3, 1])
    scores = w("Transpose", w("MatMul", k, q), perm=[0, 1, 3, 2])
    masked = w("Add", w("Mul", one, scores), w("Mul", np.float32(-1e9), other))
    kept = w("Add", w("Mul", one, w("Softmax", masked, axis=3)), w("Mul", np.float32(0), other))
    mixed = w("Transpose", w("MatMul", kept, v), perm=[0, 2, 1, 3])
    return [w("Add", x, w.linear(w("Reshape", mixed, whole(0, 0, WIDTH)), WIDTH, WIDTH))], "1 attention, 1 layer norm, 1 embedding, 4 linear"


def masked_after_the_softmax(w):
    """As JAX's exporter has it: probabilities are masked and divided by their sum, or zeros."""
    x, mask = w.x("batch", "length"), w.input("seen", np.array([[1, 1, 0, 0, 1, 0], [0] * 6], bool), "batch", "length")
    q, k, v = (w("Transpose", w("Reshape", w.linear(x, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for _ in range(3))
    scores = w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5))
    masked = w("Mul", w("Softmax", scores, axis=-1), w("Cast", w("Unsqueeze", mask, whole(1, 2)), to=TensorProto.FLOAT))
    total = w("ReduceSum", masked, whole(3), keepdims=1)
    some = w("Greater", total, np.float32(0))
    kept = w("Where", some, w("Div", masked, w("Where", some, total, np.float32(1))), np.float32(0))
    mixed = w("MatMul", kept, v)
    # All positions together, so that none is padding.
    return [w("ReduceSum", w("Transpose", mixed, perm=[0, 2, 1, 3]), whole(1), keepdims=0)], "1 attention, 3 linear"


def gelu_by_sigmoid(w):
    h = w.linear(w.x("batch", "length"), WIDTH, 32)
    inner = w("Add", h, w("Mul", np.float32(0.044715), w("Pow", h, np.float32(3))))
    return [w("Mul", h, w("Sigmoid", w("Mul", np.float32(2 * np.sqrt(2 / np.pi)), inner)))], "1 GELU (tanh), 1 linear"


def gates_in_other_words(w):
    """SiLU as a quotient, GELU with halves inside, behind and by a division."""
    x = w.x("batch", "length")
    half = np.float32(0.5)

    def erf(h):
        return w("Erf", w("Div", h, np.float32(np.sqrt(2))))

    def tanh(h):
        cubic = w("Mul", np.float32(0.044715), w("Pow", h, np.float32(3)))
        return w("Tanh", w("Mul", np.float32(np.sqrt(2 / np.pi)), w("Add", h, cubic)))

    def by(gate):
        h = w.linear(x, WIDTH, 32)
        return gate(h)

    return [by(lambda h: w("Div", h, w("Add", np.float32(1), w("Exp", w("Neg", h))))),
            by(lambda h: w("Mul", h, w("Add", half, w("Mul", half, erf(h))))),
            by(lambda h: w("Div", w("Mul", h, w("Add", np.float32(1), erf(h))), np.float32(2))),
            by(lambda h: w("Mul", h, w("Add", w("Div", erf(h), np.float32(2)), half))),
            by(lambda h: w("Mul", w("Add", half, w("Mul", tanh(h), half)), h))], "3 GELU, 1 GELU (tanh), 1 SiLU, 5 linear"


def softmax_by_a_reciprocal(w):
    x = w.x("batch", "length")
    q, k, v = (w("Transpose", w("Reshape", w.linear(x, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for _ in range(3))
    scores = w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5))
    power = w("Exp", w("Sub", scores, w("ReduceMax", scores, axes=[-1])))
    probabilities = w("Mul", power, w("Reciprocal", w("ReduceSum", power, whole(-1))))
    y = w("Reshape", w("Transpose", w("MatMul", probabilities, v), perm=[0, 2, 1, 3]), whole(0, 0, WIDTH))
    return [w.linear(y, WIDTH, WIDTH)], "1 attention, 4 linear"


def gates_as_sums_and_quotients(w):
    """GELU as a sum of two products, by logistic functions that are written out, and its form by a sigmoid."""
    x = w.x("batch", "length")
    half, one = np.float32(0.5), np.float32(1)

    def argument(h, factor):
        return w("Mul", np.float32(factor * np.sqrt(2 / np.pi)), w("Add", h, w("Mul", np.float32(0.044715), w("Pow", h, np.float32(3)))))

    def by(gate):
        h = w.linear(x, WIDTH, 32)
        return gate(h)

    return [by(lambda h: w("Add", w("Mul", half, h), w("Mul", w("Mul", half, h), w("Erf", w("Mul", h, np.float32(np.sqrt(0.5))))))),
            by(lambda h: w("Add", w("Mul", w("Div", h, np.float32(2)), w("Tanh", argument(h, 1))), w("Div", h, np.float32(2)))),
            by(lambda h: w("Div", h, w("Add", one, w("Exp", argument(h, -2))))),
            by(lambda h: w("Mul", h, w("Sigmoid", w("Mul", np.float32(1.702), h)))),
            by(lambda h: w("Div", h, w("Add", w("Exp", w("Mul", h, np.float32(-1.702))), one)))], "1 GELU, 2 GELU (tanh), 2 GELU (sigmoid), 5 linear"


def softmax_in_other_words(w):
    """By a power of -1, by logarithms, and divided behind the product with values."""
    x = w.x("batch", "length")

    def attention(mixed):
        q, k, v = (w("Transpose", w("Reshape", w.linear(x, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for _ in range(3))
        y = mixed(w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5)), v)
        return w.linear(w("Reshape", w("Transpose", y, perm=[0, 2, 1, 3]), whole(0, 0, WIDTH)), WIDTH, WIDTH)

    def power(scores):
        return w("Exp", w("Sub", scores, w("ReduceMax", scores, axes=[-1])))

    def total(powers):
        return w("ReduceSum", powers, whole(-1))

    def inverted(scores, v):
        powers = power(scores)
        return w("MatMul", w("Mul", w("Pow", total(powers), np.float32(-1)), powers), v)

    def behind(scores, v):
        powers = power(scores)
        return w("Div", w("MatMul", powers, v), total(powers))

    return [attention(inverted), attention(behind), attention(lambda scores, v: w("MatMul", w("Exp", w("LogSoftmax", scores, axis=-1)), v)),
            attention(lambda scores, v: w("MatMul", w("Exp", w("Sub", scores, w("ReduceLogSumExp", scores, axes=[-1]))), v))], "4 attention, 16 linear"


def norms_in_other_words(w):
    """RMS norms by lengths of vectors, as PyTorch's normalize keeps these from 0, by sums of squares and powers; a layer norm by the variance of a sample."""
    x = w.x("batch", "length")
    root, eps = np.float32(np.sqrt(WIDTH)), np.float32(1e-5)

    def lengths(x):
        return w("ReduceL2", x, axes=[-1])

    def sample(x):
        centred = w("Sub", x, w("ReduceMean", x, axes=[-1]))
        variance = w("Div", w("ReduceSum", w("Mul", centred, centred), whole(-1)), np.float32(WIDTH - 1))
        return w("Add", w("Mul", w("Div", centred, w("Sqrt", w("Add", variance, eps))), w.weight(WIDTH)), w.weight(WIDTH))

    def by(norm):
        return norm(w.linear(x, WIDTH, WIDTH))

    def normalized(x):
        floor = w("Clip", lengths(x), np.float32(1e-12))
        return w("Div", x, w("Expand", floor, w("Shape", x)))

    return [by(lambda h: w("Mul", w("Div", h, w("Div", lengths(h), root)), w.weight(WIDTH))),
            by(lambda h: w("Mul", w("Mul", normalized(h), root), w.weight(WIDTH))),
            by(normalized),
            by(lambda h: w("Mul", h, w("Pow", w("Add", w("Div", w("ReduceSumSquare", h, axes=[-1]), np.float32(WIDTH)), eps), np.float32(-0.5)))),
            by(sample)], "1 layer norm, 4 RMS norm, 5 linear"


def mask_of_other_names(w):
    """Vectors of tokens and a mask whose dimensions have names of their own, as tf2onnx gives each input some."""
    x, mask = w.x("batch", "length"), w.input("mask", np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]], np.int64), "unk__1", "unk__2")
    q, k, v = (w("Transpose", w("Reshape", w.linear(x, WIDTH, WIDTH), whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for _ in range(3))
    hidden = w("Mul", w("Sub", np.float32(1), w("Cast", w("Unsqueeze", mask, whole(1, 2)), to=TensorProto.FLOAT)), np.float32(-1e9))
    scores = w("Add", w("Mul", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(SIZE**-0.5)), hidden)
    mixed = w("Transpose", w("MatMul", w("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    # All positions together, so that none is padding.
    return [w("ReduceSum", mixed, whole(1), keepdims=0)], "1 attention, 3 linear"


def einsum_in_any_order(w):
    """Products whose letters stand in no order that a product of matrices has."""
    a = w.input("a", w.random.standard_normal((3, 2, 5, 4)).astype(np.float32), "", "n")
    b = w.input("b", w.random.standard_normal((4, 6, 2, 5)).astype(np.float32), "", "", "n")
    v = w.input("v", w.random.standard_normal(4).astype(np.float32))
    return [w("Einsum", a, b, equation="anpk,kcnp->cna"), w("Einsum", a, v, equation="anpk,k->pan"), w("Einsum", v, a, equation="k,anpk->kpna"),
            w("Einsum", a, equation="anpk->kpan"), w("Einsum", v, v, equation="i,j->ij"), w("Einsum", v, v, equation="i,i->")], None


def first_gpt(w):
    """As OpenAI wrote it, and TensorFlow's GPT-2 keeps it: scores are multiplied by a mask of 0 and 1, and 10,000 times what it leaves is taken away."""
    x = w.x("batch", "length")
    q, k, v = (w("Transpose", w("Reshape", part, whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for part in w("Split", w.linear(x, WIDTH, 3 * WIDTH), n=3, axis=2))
    length = w("Gather", w("Shape", x), np.int64(1))
    places = w("Range", np.int64(0), length, np.int64(1))
    seen = w("Cast", w("GreaterOrEqual", w("Unsqueeze", places, whole(1)), places), to=TensorProto.FLOAT)
    mask = w("Unsqueeze", seen, whole(0, 1))
    scores = w("Div", w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2])), np.float32(np.sqrt(SIZE)))
    left = w("Mul", w("Sub", np.float32(1), mask), np.float32(10000))
    scores = w("Sub", w("Mul", scores, mask), left)
    mixed = w("Transpose", w("MatMul", w("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return [w.linear(w("Reshape", mixed, whole(0, 0, WIDTH)), WIDTH, WIDTH)], "1 attention, 2 linear"


def xlnet(w):
    """Positions first, heads in the weights, products by Einsum; what is hidden is taken away."""
    x, mask = w.x("length", "batch"), w.input("hidden", np.array([[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]], np.float32), "batch", "length")
    q, k, v = (w("Einsum", x, w.weight(WIDTH, HEADS, SIZE), equation="ibh,hnd->ibnd") for _ in range(3))
    scores = w("Mul", w("Einsum", w("Add", q, w.weight(HEADS, SIZE, scale=0.3)), k, equation="ibnd,jbnd->bnij"), np.float32(SIZE**-0.5))
    scores = w("Sub", scores, w("Mul", np.float32(1e30), w("Unsqueeze", mask, whole(1, 2))))
    mixed = w("Einsum", w("Softmax", scores, axis=3), v, equation="bnij,jbnd->ibnd")
    return [w("Einsum", mixed, w.weight(WIDTH, HEADS, SIZE), equation="ibnd,hnd->ibh")], "1 attention, 4 linear"


def places_of_an_image(w):
    """As Segment Anything and ViTDet have it: scores are parted by lines and columns, and what queries make of each distance is added."""
    high, wide = 2, 3
    x = w.x("batch", "length")
    parts = w("Transpose", w("Reshape", w.linear(x, WIDTH, 3 * WIDTH), whole(0, high * wide, 3, HEADS, SIZE)), perm=[2, 0, 3, 1, 4])
    q, k, v = (w("Reshape", part, whole(-1, high * wide, SIZE)) for part in w("Split", parts, n=3, axis=0))
    scores = w("MatMul", w("Mul", q, np.float32(SIZE**-0.5)), w("Transpose", k, perm=[0, 2, 1]))
    places = w("Reshape", q, whole(-1, high, wide, SIZE))
    lines = w("Einsum", places, w.weight(high, high, SIZE), equation="bhwc,hkc->bhwk")
    columns = w("Einsum", places, w.weight(wide, wide, SIZE), equation="bhwc,wkc->bhwk")
    parted = w("Reshape", scores, whole(-1, high, wide, high, wide))
    parted = w("Add", w("Add", parted, w("Unsqueeze", lines, whole(4))), w("Unsqueeze", columns, whole(3)))
    mixed = w("MatMul", w("Softmax", w("Reshape", parted, whole(-1, high * wide, high * wide)), axis=-1), v)
    joined = w("Transpose", w("Reshape", mixed, whole(-1, HEADS, high * wide, SIZE)), perm=[0, 2, 1, 3])
    return [w.linear(w("Reshape", joined, whole(0, high * wide, WIDTH)), WIDTH, WIDTH)], "1 attention, 2 linear"


def queries_without_keys(w):
    """As DeBERTa hides keys of half precision: scores are replaced by the least number of f16, for all keys where the query itself is padding, so these weigh alike."""
    x, mask = w.x("batch", "length"), w.input("mask", np.array([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]], np.int64), "batch", "length")
    q, k, v = (w("Transpose", w("Reshape", part, whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for part in w("Split", w.linear(x, WIDTH, 3 * WIDTH), n=3, axis=2))
    pairs = w("Mul", w("Unsqueeze", mask, whole(1, 2)), w("Unsqueeze", mask, whole(1, 3)))
    scores = w("MatMul", w("Div", q, np.float32(np.sqrt(SIZE))), w("Transpose", k, perm=[0, 1, 3, 2]))
    scores = w("Where", w("Not", w("Cast", pairs, to=TensorProto.BOOL)), np.float32(-65504), scores)
    mixed = w("Transpose", w("MatMul", w("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return [w.linear(w("Reshape", mixed, whole(0, 0, WIDTH)), WIDTH, WIDTH)], "1 attention, 2 linear"


def one_truth(w):
    """A mask that hides nothing, as where an export was given none, of more elements than are part of a graph: scores by a choice, probabilities made zeros by another."""
    length = 40
    x = w.input("x", w.random.standard_normal((BATCH, length, WIDTH)).astype(np.float32), "batch")
    q, k, v = (w("Transpose", w("Reshape", part, whole(0, 0, HEADS, SIZE)), perm=[0, 2, 1, 3]) for part in w("Split", w.linear(x, WIDTH, 3 * WIDTH), n=3, axis=2))
    hidden = [np.zeros((1, 1, length, length), bool) for _ in range(2)]
    scores = w("MatMul", w("Div", q, np.float32(np.sqrt(SIZE))), w("Transpose", k, perm=[0, 1, 3, 2]))
    scores = w("Where", hidden[0], np.float32(-3.4e38), scores)
    weights = w("Where", hidden[1], np.float32(0), w("Softmax", scores, axis=-1))
    mixed = w("Transpose", w("MatMul", weights, v), perm=[0, 2, 1, 3])
    return [w.linear(w("Reshape", mixed, whole(0, 0, WIDTH)), WIDTH, WIDTH)], "1 attention, 2 linear"


def make(cases):
    for spelling in (flax, keras, gluon, paddle, minus_infinity_kept_finite, first_bert, keras_exported, masked_after_the_softmax, gelu_by_sigmoid, gates_in_other_words, softmax_by_a_reciprocal,
                     gates_as_sums_and_quotients, softmax_in_other_words, norms_in_other_words, mask_of_other_names, einsum_in_any_order,
                     first_gpt, xlnet, places_of_an_image, queries_without_keys, one_truth):
        w = Writer(cases, spelling.__name__)
        outputs, graph = spelling(w)
        cases.add(spelling.__name__, None, w.inputs + w.constants, outputs, fixed=[name for name, _ in w.constants], dynamic=w.dynamic, nodes=w.nodes,
                  opset=17, graph=graph)

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""com.microsoft's attention operators."""
import numpy as np
from onnx import TensorProto, helper


def attention(q, k, v, bias=0, allowed=True):
    """[heads, tokens, size] each"""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = np.where(allowed, q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias, -np.inf)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True) @ v


def heads_of(x, heads):
    """[..., tokens, heads * size] to [..., heads, tokens, size]"""
    return np.swapaxes(x.reshape(*x.shape[:-1], heads, -1), -2, -3)


def merged(x):
    x = np.swapaxes(x, -2, -3)
    return x.reshape(*x.shape[:-2], -1)


def packed_attention(q, k, v, heads, lengths, bias=None):
    """Sequences one after another; bias [batch, heads, longest, longest]."""
    parts, first = [], 0
    for b, length in enumerate(lengths):
        rows = slice(first, first + length)
        own = 0 if bias is None else bias[min(b, len(bias) - 1), :, :length, :length]
        parts.append(merged(attention(heads_of(q[rows], heads), heads_of(k[rows], heads), heads_of(v[rows], heads), own)))
        first += length
    return np.concatenate(parts)


def without_padding(x, counts):
    """What RemovePadding gives, by its definition."""
    batch, length = x.shape[:2]
    tokens = [b * length + s for b in range(batch) for s in range(counts[b])]
    padding = [b * length + s for b in range(batch) for s in range(counts[b], length)]
    return [(x.reshape(batch * length, -1)[tokens], np.float32), (np.array(tokens + padding).reshape(batch, length), np.int32),
            (np.concatenate([[0], np.cumsum(counts)]), np.int32), ([max(counts)], np.int32)]


def packed_block(x, counts, w, b, bias):
    """RemovePadding, PackedAttention, PackedMultiHeadAttention over its thirds, RestorePadding."""
    made = np.zeros(x.shape)
    for sequence, count in enumerate(counts):
        rows = x[sequence, :count].astype(np.float64)
        once = packed_attention(*np.split(rows @ w + b, 3, 1), 2, [count], bias) if count else rows
        made[sequence, :count] = packed_attention(once, once, once, 2, [count]) if count else rows
    return [(made, np.float32)]


def make(cases):
    def f(name, *shape, scale=1.0):
        return (cases.random(name).standard_normal(shape) * scale).astype(np.float32)

    x, w, b = f("x", 2, 5, 8), f("w", 8, 24, scale=0.5), f("b", 24)
    dynamic = {"x": {0: "batch", 1: "sequence"}}
    base = [("x", x), ("w", w), ("b", b)]
    heads = {"num_heads": 2}
    cases.add("attention", "Attention", base, ["y"], heads, fixed=("w", "b"), dynamic=dynamic)
    cases.add("attention_causal", "Attention", base, ["y"], {**heads, "unidirectional": 1, "scale": 0.3})
    masks = {"ends": np.array([5, 3], np.int32), "ends_and_begins": np.array([5, 4, 0, 2], np.int32),
             "raw": np.array([[1, 1, 1, 0, 1], [0, 1, 1, 1, 0]], np.int32),
             "each_query": cases.random("m3").integers(0, 2, (2, 5, 5)).astype(np.int32)}
    masks["each_query"][:, :, 0] = 1
    for name, mask in masks.items():
        cases.add(f"attention_mask_{name}", "Attention", base + [("mask", mask)], ["y"], heads, fixed=("w", "b"))
    cases.add("attention_mask_dynamic", "Attention", base + [("mask", masks["raw"])], ["y"], {**heads, "mask_filter_value": -30.0}, fixed=("w", "b"),
              dynamic={**dynamic, "mask": {0: "batch", 1: "sequence"}})
    # Where the mask's dimensions have names of their own, they must be those of the input.
    own = {"ends": {0: "m"}, "raw": {0: "m", 1: "k"}, "each_query": {0: "m", 1: "q", 2: "k"}}
    refusals = {"ends": {"x": [2, 5, 8], "mask": [4]}, "raw": {"x": [2, 5, 8], "mask": [2, 3]}, "each_query": {"x": [2, 5, 8], "mask": [2, 5, 2]}}
    for name, dims in own.items():
        cases.add(f"attention_mask_{name}_of_other_names", "Attention", base + [("mask", masks[name])], ["y"], heads, fixed=("w", "b"), dynamic={**dynamic, "mask": dims},
                  refused=[(refusals[name], r"input 'mask' has \S+ = \d, but input 'x' has \d")])
    cases.add("attention_past", "Attention", base + [("mask", None), ("past", f("past", 2, 2, 2, 3, 4))], ["y", "present"],
              {**heads, "unidirectional": 1}, fixed=("w", "b"), dynamic={**dynamic, "past": {1: "batch", 3: "past"}})
    cases.add("attention_bias", "Attention", base + [("mask", None), ("past", None), ("bias", f("ab", 1, 2, 5, 5))], ["y"], heads)
    cases.add("attention_widths", "Attention", [("x", x), ("w", f("w2", 8, 28, scale=0.5)), ("b", f("b2", 28))], ["y"],
              {**heads, "qkv_hidden_sizes": [8, 8, 12]}, fixed=("w", "b"))

    q, k, v = f("q", 2, 5, 8), f("k", 2, 6, 8), f("v", 2, 6, 12)
    cases.add("multi_head_attention", "MultiHeadAttention", [("q", q), ("k", k), ("v", v)], ["y"], heads,
              dynamic={"q": {0: "batch", 1: "queries"}, "k": {0: "batch", 1: "keys"}, "v": {0: "batch", 1: "keys"}})
    cases.add("multi_head_attention_bias_mask", "MultiHeadAttention",
              [("q", q), ("k", k), ("v", f("v8", 2, 6, 8)), ("b", b), ("mask", np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 1]], np.int32)),
               ("ab", f("mab", 1, 2, 5, 6))], ["y"], heads)
    cases.add("multi_head_attention_ends", "MultiHeadAttention", [("q", q), ("k", k), ("v", v), ("b", None), ("mask", np.array([6, 2], np.int32))],
              ["y"], heads)
    cases.add("multi_head_attention_packed", "MultiHeadAttention", [("qkv", f("qkv", 2, 5, 2, 3, 4))], ["y"], heads,
              formula=lambda x: [(merged(attention(*(np.moveaxis(x[:, :, :, i], 1, 2) for i in range(3)))), np.float32)])
    cases.add("multi_head_attention_packed_kv", "MultiHeadAttention", [("q", q), ("kv", f("kv", 2, 6, 2, 2, 4))], ["y"], heads,
              formula=lambda q, x: [(merged(attention(heads_of(q, 2), *(np.moveaxis(x[:, :, :, i], 1, 2) for i in range(2)))), np.float32)])
    # Sequences of 3 and 1 tokens.
    rows, offset, ends = f("rows", 4, 8), np.array([[0, 1, 2], [3, 4, 5]], np.int32), np.array([0, 3, 4], np.int32)
    bias = f("pb", 2, 2, 3, 3)
    cases.add("packed_multi_head_attention", "PackedMultiHeadAttention",
              [("q", rows), ("k", f("rk", 4, 8)), ("v", f("rv", 4, 12)), ("b", None), ("offset", offset), ("ends", ends), ("bias", bias)], ["y"], heads,
              formula=lambda q, k, v, b, o, e, ab: [(packed_attention(q, k, v, 2, [3, 1], ab), np.float32)])
    cases.add("packed_multi_head_attention_in_one", "PackedMultiHeadAttention",
              [("qkv", f("rqkv", 4, 2, 3, 4)), ("k", None), ("v", None), ("b", b), ("offset", offset), ("ends", ends)], ["y"], heads,
              formula=lambda x, k, v, b, o, e: [(packed_attention(*(x[:, :, i].reshape(4, 8) + b[8 * i:8 * i + 8] for i in range(3)), 2, [3, 1]),
                                                 np.float32)], dynamic={"qkv": {0: "tokens"}, "ends": {0: "batch + 1"}})
    cases.add("packed_attention", "PackedAttention", [("x", rows), ("w", w), ("b", b), ("offset", offset), ("ends", ends)], ["y"], heads,
              formula=lambda x, w, b, o, e: [(packed_attention(*np.split(x.astype(np.float64) @ w + b, 3, 1), 2, [3, 1]), np.float32)])
    cases.add("restore_padding", "RestorePadding", [("x", rows), ("offset", np.array([[0, 1, 2], [3, 4, 5]], np.int32))], ["y"],
              formula=lambda x, o: [(np.concatenate([x, np.zeros((2, 8))]).reshape(2, 3, 8), np.float32)])
    cases.add("packed_attention_few_ends", "PackedAttention", [("x", rows), ("w", w), ("b", b), ("offset", offset), ("ends", ends), ("bias", bias[:1])],
              ["y"], heads, fixed=("w", "b"), dynamic={"x": {0: "tokens"}, "ends": {0: "ends"}},
              formula=lambda x, w, b, o, e, ab: [(packed_attention(*np.split(x.astype(np.float64) @ w + b, 3, 1), 2, [3, 1], ab), np.float32)])
    padded, counts = f("padded", 4, 5, 8), np.array([3, 0, 5, 1], np.int32)
    open_dims = {"x": {0: "batch", 1: "sequence"}, "counts": {0: "batch"}}
    cases.add("remove_padding", "RemovePadding", [("x", padded), ("counts", counts)], ["y", "offset", "ends", "most"], dynamic=open_dims,
              formula=without_padding)
    cases.add("remove_padding_static", "RemovePadding", [("x", padded), ("counts", counts)], ["y", "offset", "ends", "most"], formula=without_padding)
    cases.add("remove_padding_all", "RemovePadding", [("x", padded), ("counts", counts)], ["y", "offset", "ends", "most"], fixed=("counts",),
              formula=without_padding)
    # As ONNX Runtime's convert_to_packing_mode makes of encoders.
    ms = {"domain": "com.microsoft"}
    for name, kept in (("packed_block", bias), ("packed_block_shared_bias", bias[:1])):
        kept = np.repeat(np.pad(kept, ((0, 0), (0, 0), (0, 2), (0, 2)), "edge"), 4 // len(kept) if len(kept) > 1 else 1, 0)
        cases.add(name, None, [("x", padded), ("counts", counts), ("w", w), ("b", b), ("bias", kept)], ["y"], fixed=("w", "b"), dynamic=open_dims, nodes=[
            helper.make_node("RemovePadding", ["x", "counts"], ["rows", "offset", "ends", ""], **ms),
            helper.make_node("PackedAttention", ["rows", "w", "b", "offset", "ends", "bias"], ["once"], num_heads=2, **ms),
            helper.make_node("PackedMultiHeadAttention", ["once", "once", "once", "", "offset", "ends"], ["twice"], num_heads=2, **ms),
            helper.make_node("RestorePadding", ["twice", "offset"], ["y"], **ms)], formula=lambda x, c, w, b, ab: [
                (np.stack([packed_block(x[i:i + 1], c[i:i + 1], w, b, ab[min(i, len(ab) - 1):][:1])[0][0][0] for i in range(4)]), np.float32)])
    cases.add("multi_head_attention_cross", "MultiHeadAttention", [("q", q), ("k", f("ck", 2, 2, 6, 4)), ("v", f("cv", 2, 2, 6, 4)), ("b", b)], ["y"], heads)
    same = [("q", q), ("k", f("k5", 2, 5, 8)), ("v", f("v5", 2, 5, 8)), ("b", b), ("mask", None), ("ab", None)]
    past = [("pk", f("pk", 2, 2, 3, 4)), ("pv", f("pv", 2, 2, 3, 4))]
    cases.add("multi_head_attention_past", "MultiHeadAttention", same + past, ["y", "key", "value"], {**heads, "unidirectional": 1},
              dynamic={"pk": {0: "batch", 2: "past"}, "pv": {0: "batch", 2: "past"}, "q": {0: "batch", 1: "sequence"},
                       "k": {0: "batch", 1: "sequence"}, "v": {0: "batch", 1: "sequence"}})
    cases.add("multi_head_attention_qk", "MultiHeadAttention", same + past, ["y", "key", "value", "qk"], heads,
              types={"qk": np.float32})

    cases.add("multi_head_attention_qk_masked", "MultiHeadAttention",
              same[:4] + [("mask", np.array([[1, 1, 1, 1, 0], [1, 0, 1, 1, 1]], np.int32)), ("ab", f("qab", 1, 2, 5, 5)), ("pk", None), ("pv", None)],
              ["y", "", "", "qk"], heads, types={"qk": np.float32})

    angles = np.arange(12)[:, None] / 10 ** (np.arange(4)[None, :] / 2)
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    places = np.array([[0, 1, 2, 3, 4], [3, 7, 1, 0, 11]], np.int64)
    r = f("r", 2, 5, 16)
    cases.add("rotary", "RotaryEmbedding", [("x", r), ("p", places), ("cos", cos), ("sin", sin)], ["y"],
              dynamic={"x": {0: "batch", 1: "sequence"}, "p": {0: "batch", 1: "sequence"}})
    cases.add("rotary_interleaved_offset", "RotaryEmbedding", [("x", f("r4", 2, 2, 5, 8)), ("p", np.array([3], np.int64)), ("cos", cos), ("sin", sin)],
              ["y"], {"interleaved": 1})
    cases.add("rotary_partial", "RotaryEmbedding", [("x", f("rp", 2, 5, 24)), ("p", places), ("cos", cos), ("sin", sin)], ["y"],
              {"rotary_embedding_dim": 8, "num_heads": 2})

    # 4 heads of 16 on 2 of keys and values.
    angles = np.arange(12)[:, None] / 10 ** (np.arange(8)[None, :] / 4)
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    def cached(name, queries, past, lengths, more=None, extra=(), rows=None, outputs=("y", "key", "value"), packed=False, total=None,
               skip=()):
        batch = len(lengths)
        total = max(lengths) if total is None else total
        inputs = ([("q", f(name + "q", batch, queries, 128)), ("k", None), ("v", None)] if packed else
                  [("q", f(name + "q", batch, queries, 64)), ("k", f(name + "k", batch, queries, 32)), ("v", f(name + "v", batch, queries, 32))])
        rows = past if rows is None else rows
        pasts = [("pk", f(name + "pk", batch, 2, rows, 16)), ("pv", f(name + "pv", batch, 2, rows, 16))] if rows is not None else [("pk", None), ("pv", None)]
        inputs += pasts + [("last", np.array(lengths, np.int32) - 1), ("total", np.array(total, np.int32))]
        tables = [("cos", cos), ("sin", sin)] if (more or {}).get("do_rotary") else [("cos", None), ("sin", None)]
        cases.add("group_query_attention_" + name, "GroupQueryAttention", inputs + tables + list(extra), list(outputs),
                  {"num_heads": 4, "kv_num_heads": 2, **(more or {})}, fixed=("total",), skip=skip)

    cached("prompt", 5, None, [5, 5])
    cached("step", 1, 6, [7, 7])
    cached("step_lengths", 1, 6, [7, 4], skip=("key", "value"))
    cached("rotary", 1, 6, [7, 7], {"do_rotary": 1})
    cached("rotary_prompt", 5, None, [5, 5], {"do_rotary": 1, "rotary_interleaved": 1})
    cached("continued", 3, 4, [7], {"do_rotary": 1})
    cached("window", 5, None, [5, 5], {"local_window_size": 2})
    cached("window_step", 1, 6, [7, 7], {"local_window_size": 3})
    cached("softcap", 1, 6, [7, 7], {"softcap": 5.0})
    cached("packed", 4, None, [4, 4], {"do_rotary": 1}, packed=True)
    cached("scale", 4, None, [4, 4], {"scale": 0.2})
    cached("smooth", 4, None, [4, 4], {"smooth_softmax": 1})
    cached("sink", 1, 6, [7, 7], extra=[("p", None), ("ab", None), ("sink", f("sink", 4))])
    cached("bias", 4, None, [4, 4], extra=[("p", None), ("ab", f("gab", 1, 4, 4, 4))])

    # As decoders are exported: the longest sequence is a dimension of the mask, lengths are its sums.
    nodes = [helper.make_node("Cast", ["mask"], ["long"], to=TensorProto.INT64),
             helper.make_node("ReduceSum", ["long", "one"], ["sums"], keepdims=0),
             helper.make_node("Sub", ["sums", "one"], ["last64"]), helper.make_node("Cast", ["last64"], ["last"], to=TensorProto.INT32),
             helper.make_node("Shape", ["mask"], ["shape"]), helper.make_node("Gather", ["shape", "one"], ["total64"]),
             helper.make_node("Cast", ["total64"], ["total"], to=TensorProto.INT32),
             helper.make_node("GroupQueryAttention", ["q", "k", "v", "pk", "pv", "last", "total", "cos", "sin"], ["y", "key", "value"],
                              domain="com.microsoft", num_heads=4, kv_num_heads=2, do_rotary=1)]
    for name, queries, rows in (("prompt", 5, 0), ("step", 1, 6)):
        inputs = [("q", f("dq" + name, 2, queries, 64)), ("k", f("dk" + name, 2, queries, 32)), ("v", f("dv" + name, 2, queries, 32)),
                  ("pk", f("dpk" + name, 2, 2, rows, 16)), ("pv", f("dpv" + name, 2, 2, rows, 16)),
                  ("mask", np.ones((2, queries + rows), np.int64)), ("cos", cos), ("sin", sin), ("one", np.array([1], np.int64))]
        symbols = {key: {0: "batch", 1: "sequence"} for key in "qkv"}
        symbols.update({key: {0: "batch", 2: "past"} for key in ("pk", "pv")}, mask={0: "batch", 1: "total"})
        cases.add("group_query_attention_exported_" + name, "", inputs, ["y", "key", "value"], fixed=("cos", "sin", "one"), dynamic=symbols,
                  nodes=nodes)
    half = [(key, value.astype(np.float16)) for key, value in base]
    cases.add("attention_half", "Attention", half, ["y"], heads, fixed=("w", "b"), tolerance=4e-3,
              formula=lambda x, w, b: [(merged(attention(*(heads_of(p, 2) for p in np.split(x.astype(np.float64) @ w + b, 3, -1)))), np.float16)])

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Graphs with ingot.scaled_dot_product_attention: compiled, run with ingot-run infer, compared with float64 arithmetic.
Standard library only.

    attention_over.py --ingot BIN --ingot-run BIN --work DIR [--target T --device D]
"""
import argparse
import array
import math
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "runtime"))
import npy

TOLERANCE = 1e-5
B, S, T, H, G, D, E = 2, 5, 70, 4, 2, 12, 20
SCALE = 0.3


def tensor(*dims):
    shape = "x".join(str(d) if isinstance(d, int) else "?" for d in dims)
    names = ", ".join(f'"{"" if isinstance(d, int) else d}"' for d in dims)
    return f"tensor<{shape}xf32" + (f", #ingot.dims<{names}>" if any(isinstance(d, str) for d in dims) else "") + ">"


def drawn(generator, count):
    return list(array.array("f", [generator.gauss(0, 1) for _ in range(count)]))


def attend(q, k, v, queries, keys, kv_heads, width, seen, bias):
    """q [B, S, H, D], k [B, T, G, D], v [B, T, G, E] flat -> [B, S, H, E] flat."""
    out = []
    for b in range(B):
        for s in range(queries):
            for h in range(H):
                g = h // (H // kv_heads)
                at = ((b * queries + s) * H + h) * D
                scores = {}
                for t in range(keys):
                    key = ((b * keys + t) * kv_heads + g) * D
                    if seen(b, s, t):
                        scores[t] = math.fsum(x * y for x, y in zip(q[at:at + D], k[key:key + D])) * SCALE + bias(b, h, s, t)
                most = max(scores.values(), default=-math.inf)
                weights = {t: math.exp(x - most) for t, x in scores.items()} if most > -math.inf else {}
                total = math.fsum(weights.values())
                for e in range(width):
                    out.append(math.fsum(w * v[((b * keys + t) * kv_heads + g) * width + e] for t, w in weights.items()) / total
                               if weights else 0.0)
    return out


def run(args, name, text, inputs, shape, expected):
    (args.work / f"{name}.mlir").write_text(text)
    engine = args.work / f"{name}.ingot"
    subprocess.run([args.ingot, "compile", args.work / f"{name}.mlir", "-o", engine, "--compute=f32", "--quiet",
                    "--target=" + args.target], check=True)
    given = []
    for key, (kind, dims, values) in inputs.items():
        npy.write(args.work / f"{key}.npy", kind, dims, values)
        given.append(f"--input={key}={args.work}/{key}.npy")
    before = None
    for threads in "123":
        subprocess.run([args.ingot_run, "infer", engine, *given, f"--output=o={args.work}/o.npy", "--threads", threads,
                        "--device", args.device], check=True)
        kind, dims, values = npy.read(args.work / "o.npy")
        assert (kind, dims) == ("f4", shape), (kind, dims)
        worst = max((abs(x - y) for x, y in zip(values, expected)), default=0.0)
        if not worst <= TOLERANCE or len(values) != len(expected):
            sys.exit(f"{name}: differs from float64 by {worst}")
        assert before in (None, values), "threads change bits"
        before = values
    print(f"{name}: right", flush=True)


def self_attention(args, generator):
    """Projections of [B*S, k] by constant weights, a mask given as an argument."""
    k = 24
    x = drawn(generator, B * S * k)
    weights = {"wq": drawn(generator, H * D * k), "wk": drawn(generator, H * D * k), "wv": drawn(generator, H * D * k)}
    blob, declared = b"", []
    for name, values in weights.items():
        data = array.array("f", [value / 4 for value in values]).tobytes()
        weights[name] = list(array.array("f", data))
        declared.append(f'ingot.tensor @{name} : tensor<{H * D}x{k}xf32> {{file = "{args.work}/weights.bin", offset = {len(blob)} : i64, '
                        f'bytes = {len(data)} : i64}}')
        blob += data
    (args.work / "weights.bin").write_bytes(blob)
    rows = {}
    for name, values in weights.items():
        rows[name] = [math.fsum(x[r * k + i] * values[n * k + i] for i in range(k)) for r in range(B * S) for n in range(H * D)]
    mask = [0.0 if t < (S if b else 3) else -3.4e38 for b in range(B) for t in range(S)]
    flat, heads = tensor("rows", H * D), tensor("b", "s", H, D)
    lines = []
    for name in weights:
        lines += [f"%{name}0 = ingot.weight @{name} : tensor<{H * D}x{k}xf32>",
                  f"%{name}1 = ingot.linear %flat, %{name}0 : ({tensor('rows', k)}, tensor<{H * D}x{k}xf32>) -> {flat}",
                  f"%{name} = ingot.reshape %{name}1 : {flat} -> {heads}"]
    text = "\n".join(
        ["ingot.symbol @b", "ingot.symbol @s", 'ingot.symbol @rows value "b*s"'] + declared +
        [f"ingot.entry @main(%x: {tensor('b', 's', k)}, %mask: {tensor('b', 1, 1, 's')}) -> {heads} "
         'attributes {arg_names = ["x", "mask"], res_names = ["o"]} {',
         f"%flat = ingot.reshape %x : {tensor('b', 's', k)} -> {tensor('rows', k)}"] + lines +
        [f"%o = ingot.scaled_dot_product_attention %wq, %wk, %wv bias %mask {{scale = {SCALE} : f64}} : "
         f"({heads}, {heads}, {heads}, {tensor('b', 1, 1, 's')}) -> {heads}",
         f"ingot.return %o : {heads}", "}", ""])
    expected = attend(rows["wq"], rows["wk"], rows["wv"], S, S, H, D, lambda b, s, t: True, lambda b, h, s, t: mask[b * S + t])
    run(args, "self", text, {"x": ("f4", (B, S, k), x), "mask": ("f4", (B, 1, 1, S), mask)}, (B, S, H, D), expected)


def cross_attention(args, generator, keys=T):
    """Groups of heads, keys of another number, causal, lengths, and a bias that is part of the graph."""
    q, k, v = drawn(generator, B * S * H * D), drawn(generator, B * keys * G * D), drawn(generator, B * keys * G * E)
    bias = drawn(generator, H)
    lengths = [keys - 2, keys // 2]
    qs, ks, vs = tensor(B, "s", H, D), tensor(B, "t", G, D), tensor(B, "t", G, E)
    out, constant = tensor(B, "s", H, E), f"tensor<1x{H}x1x1xf32>"
    text = "\n".join(
        ["ingot.symbol @s", "ingot.symbol @t",
         f"ingot.entry @main(%q: {qs}, %k: {ks}, %v: {vs}, %n: tensor<{B}xi32>) -> {out} "
         'attributes {arg_names = ["q", "k", "v", "n"], res_names = ["o"]} {',
         f"%m = ingot.constant dense<{[[[[value]] for value in bias]]}> : {constant}",
         f"%o = ingot.scaled_dot_product_attention %q, %k, %v bias %m lengths %n {{causal, scale = {SCALE} : f64}} : "
         f"({qs}, {ks}, {vs}, {constant}, tensor<{B}xi32>) -> {out}",
         f"ingot.return %o : {out}", "}", ""])
    expected = attend(q, k, v, S, keys, G, E, lambda b, s, t: t < lengths[b] and t <= s + keys - S, lambda b, h, s, t: bias[h])
    run(args, "cross" if keys else "empty", text,
        {"q": ("f4", (B, S, H, D), q), "k": ("f4", (B, keys, G, D), k), "v": ("f4", (B, keys, G, E), v), "n": ("i4", (B,), lengths)},
        (B, S, H, E), expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--ingot-run", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    generator = random.Random(7)
    self_attention(args, generator)
    cross_attention(args, generator)
    cross_attention(args, generator, keys=0)


main()

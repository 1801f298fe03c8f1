# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random graphs of general ops, norms and linears: compiled, run, and compared with float64 arithmetic. Whatever the
passes fuse, hoist, share or write in place must not show in the values. Standard library only.

    random_graphs.py --ingot BIN --run-entry BIN --work DIR --seeds N [--first SEED]
"""
import argparse
import array
import math
import pathlib
import random
import subprocess
import sys

TOLERANCE = 2e-5  # of the largest value: some ten f32 ops in a row, each exact to a few 1e-7
ACTIVATIONS = {
    "silu": lambda v: v / (1 + math.exp(-v)),
    "gelu": lambda v: v / 2 * (1 + math.erf(v / math.sqrt(2))),
    "relu": lambda v: max(v, 0.0),
    "tanh": math.tanh,
    "quick_gelu": lambda v: v / (1 + math.exp(-1.702 * v)),
    "gelu_tanh": lambda v: v / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v ** 3))),
}


def rows_type(columns, symbol="tokens"):
    return f'tensor<?x{columns}xf32, #ingot.dims<"{symbol}", "">>'


def rounded(values, bits):
    """The values as f32, and with their low bits dropped: then as bf16 too."""
    words = array.array("I", array.array("f", values).tobytes())
    return array.array("f", array.array("I", [word >> bits << bits for word in words]).tobytes())


class Graph:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.k = self.random.choice([8, 12, 20, 32, 40])
        self.rows, self.picked = self.random.choice([1, 3, 17]), self.random.choice([1, 2, 5])
        k = self.k
        self.gamma = rounded([self.random.uniform(0.5, 1.5) for _ in range(k)], 0)
        self.bias = rounded([self.random.gauss(0, 1) for _ in range(k)], 0)
        self.weights = {"w": rounded([self.random.gauss(0, k ** -0.5) for _ in range(k * k)], 0),
                        "v": rounded([self.random.gauss(0, k ** -0.5) for _ in range(k * k)], 16)}
        self.inputs = {name: rounded([self.random.gauss(0, 1) for _ in range(self.rows * k)], 0) for name in "xz"}
        self.picks = [self.random.randrange(self.rows) for _ in range(self.picked)]
        self.values = {f"%{name}": [list(map(float, flat[r * k:(r + 1) * k])) for r in range(self.rows)]
                       for name, flat in self.inputs.items()}
        self.lines = []
        for i in range(self.random.randint(4, 14)):
            self.step(f"%n{i}")
        names = list(self.values)
        self.outputs = [self.random.choice(names) for _ in range(self.random.randint(1, 2))]
        self.last = names[-1]

    def linear(self, name, source, weight, bias):
        k, matrix = self.k, self.weights[weight]
        element = {"w": "f32", "v": "bf16"}[weight]
        self.lines.append(f"{name} = ingot.linear {source}, %{weight}{' bias %b' if bias else ''} : ({rows_type(k)}, "
                          f"tensor<{k}x{k}x{element}>{f', tensor<{k}xf32>' if bias else ''}) -> {rows_type(k)}")
        return [[sum(row[j] * matrix[n * k + j] for j in range(k)) + (self.bias[n] if bias else 0) for n in range(k)]
                for row in self.values[source]]

    def step(self, name):
        recent = list(self.values)[-4:]
        a, b = self.random.choice(recent), self.random.choice(recent)
        x, y, k, rows = self.values[a], self.values[b], self.k, rows_type(self.k)
        kind = self.random.choice(["activation", "binary", "add", "add", "norm", "norm", "linear", "linear", "softmax", "gated",
                                   "swap"])
        if kind == "activation":
            op = self.random.choice(sorted(ACTIVATIONS))
            self.lines.append(f"{name} = ingot.{op} {a} : {rows}")
            result = [[ACTIVATIONS[op](v) for v in row] for row in x]
        elif kind in ("binary", "add"):
            op = "add" if kind == "add" else self.random.choice(["mul", "sub"])
            self.lines.append(f"{name} = ingot.{op} {a}, {b} : {rows}")
            apply = {"add": float.__add__, "mul": float.__mul__, "sub": float.__sub__}[op]
            result = [[apply(u, v) for u, v in zip(p, q)] for p, q in zip(x, y)]
        elif kind == "norm":
            self.lines.append(f"{name} = ingot.rms_norm {a}, %g {{eps = 1.0e-5 : f64}} : {rows}, tensor<{k}xf32>")
            result = [[v / math.sqrt(sum(u * u for u in row) / k + 1e-5) * g for v, g in zip(row, self.gamma)] for row in x]
        elif kind == "linear":
            result = self.linear(name, a, self.random.choice("wv"), self.random.random() < 0.5)
        elif kind == "softmax":
            self.lines.append(f"{name} = ingot.softmax {a} {{axis = 1 : i64}} : {rows}")
            powers = [[math.exp(v - max(row)) for v in row] for row in x]
            result = [[v / sum(row) for v in row] for row in powers]
        elif kind == "gated":
            gate = self.linear(f"{name}g", a, "w", False)
            self.lines.append(f"{name}a = ingot.silu {name}g : {rows}")
            up = self.linear(f"{name}u", a, "v", True)
            self.lines.append(f"{name} = ingot.mul {name}a, {name}u : {rows}")
            result = [[ACTIVATIONS["silu"](u) * v for u, v in zip(p, q)] for p, q in zip(gate, up)]
        else:
            self.lines.append(f"{name}s:2 = ingot.split {a} {{axis = 1 : i64, sizes = array<i64: 3, {k - 3}>}} : {rows} -> "
                              f"{rows_type(3)}, {rows_type(k - 3)}")
            self.lines.append(f"{name} = ingot.concat {name}s#1, {name}s#0 {{axis = 1 : i64}} : ({rows_type(k - 3)}, "
                              f"{rows_type(3)}) -> {rows}")
            result = [row[3:] + row[:3] for row in x]
        self.values[name] = result

    def expected(self):
        return [self.values[name] for name in self.outputs] + [[self.values[self.last][row] for row in self.picks]]

    def write(self, work):
        """The files that the graph reads; returns its text."""
        k, declared, blob = self.k, [], b""
        halves = array.array("H", [word >> 16 for word in array.array("I", self.weights["v"].tobytes())])
        for name, shape, element, data in (("g", f"{k}", "f32", self.gamma), ("b", f"{k}", "f32", self.bias),
                                           ("w", f"{k}x{k}", "f32", self.weights["w"]), ("v", f"{k}x{k}", "bf16", halves)):
            data = data.tobytes()
            kind = f"tensor<{shape}x{element}>"
            declared.append((name, kind, f'{{file = "{work}/weights.bin", offset = {len(blob)}, bytes = {len(data)}}}'))
            blob += data
        (work / "weights.bin").write_bytes(blob)
        for name, flat in self.inputs.items():
            (work / f"{name}.bin").write_bytes(flat.tobytes())
        (work / "i.bin").write_bytes(array.array("i", self.picks).tobytes())
        picked = rows_type(k, "picked")
        types = ", ".join([rows_type(k)] * len(self.outputs) + [picked])
        body = [f"%{name} = ingot.weight @{name} : {kind}" for name, kind, _ in declared] + self.lines
        body.append(f'%p = ingot.gather_rows {self.last}, %i : ({rows_type(k)}, tensor<?xi32, #ingot.dims<"picked">>) -> {picked}')
        body.append(f"ingot.return {', '.join(self.outputs + ['%p'])} : {types}")
        results = ", ".join(f'"o{i}"' for i in range(len(self.outputs) + 1))
        return "\n".join(
            ["ingot.symbol @tokens", "ingot.symbol @picked"] +
            [f"ingot.tensor @{name} : {kind} {where}" for name, kind, where in declared] +
            [f'ingot.entry @main(%x: {rows_type(k)}, %z: {rows_type(k)}, %i: tensor<?xi32, #ingot.dims<"picked">>) -> ({types}) '
             f'attributes {{arg_names = ["x", "z", "i"], res_names = [{results}]}} {{'] +
            ["  " + line for line in body] + ["}", ""])


def check(graph, args):
    work = args.work
    (work / "graph.mlir").write_text(graph.write(work))
    subprocess.run([args.ingot, "compile", work / "graph.mlir", "-o", work / "graph.ingot", "--compute=f32", "--quiet",
                    "--target=" + args.target],
                   check=True)
    expected = graph.expected()
    outputs = []
    for i, rows in enumerate(expected):
        outputs += [str(work / f"o{i}.bin"), str(4 * len(rows) * graph.k)]
    subprocess.run([args.run_entry, work / "graph.ingot", "--symbols", str(graph.rows), str(graph.picked), "--inputs",
                    work / "x.bin", work / "z.bin", work / "i.bin", "--outputs", *outputs, "--threads", "1", "2", "--device", args.device], check=True)
    worst = 0.0
    for i, rows in enumerate(expected):
        flat = [v for row in rows for v in row]
        got = array.array("f", (work / f"o{i}.bin").read_bytes())
        largest = max(max(map(abs, flat)), 1e-6)
        worst = max([worst] + [abs(a - b) / largest for a, b in zip(got, flat)])
        if len(got) != len(flat) or not all(map(math.isfinite, got)):
            worst = math.inf
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--run-entry", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for seed in range(args.first, args.first + args.seeds):
        worst = check(Graph(seed), args)
        print(f"seed {seed} {worst:.1e}", flush=True)
        if not worst <= TOLERANCE:
            sys.exit(f"seed {seed}: {args.work}/graph.mlir differs from float64 by {worst:.2g} of the largest value")


main()

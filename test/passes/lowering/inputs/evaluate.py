# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the functions that lower-general-ops made, through upstream's own lowering and interpreter-like runner, and compares
with formulas in float64. Reads the module from standard input; prints one line per function and fails on a difference.

    evaluate.py LLVM_BIN LLVM_LIB < module
"""
import itertools
import math
import random
import re
import subprocess
import sys

TOLERANCE = 1e-5  # of the largest value: results are printed with six digits
PASSES = [
    "--one-shot-bufferize=bufferize-function-boundaries", "--convert-linalg-to-loops", "--expand-strided-metadata",
    "--lower-affine", "--convert-scf-to-cf", "--convert-math-to-libm", "--convert-math-to-llvm", "--convert-arith-to-llvm",
    "--convert-index-to-llvm", "--finalize-memref-to-llvm", "--convert-func-to-llvm", "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts"
]
ROWS, PICKED = 5, 3
SIZES = {"tokens": ROWS, "picked": PICKED}


class Tensor:
    def __init__(self, shape, values):
        self.shape, self.values = list(shape), list(values)

    def at(self, *index):
        position = 0
        for size, i in zip(self.shape, index):
            position = position * size + i
        return self.values[position]


def tensor(shape, at):
    return Tensor(shape, [at(*index) for index in itertools.product(*map(range, shape))])


def rms_norm(x, gamma, eps):
    def at(*i):
        row = [x.at(*i[:-1], j) for j in range(x.shape[-1])]
        return x.at(*i) / math.sqrt(sum(v * v for v in row) / len(row) + eps) * gamma.at(i[-1])
    return tensor(x.shape, at)


def layer_norm(x, gamma, beta, eps):
    def at(*i):
        row = [x.at(*i[:-1], j) for j in range(x.shape[-1])]
        mean = sum(row) / len(row)
        variance = sum((v - mean) ** 2 for v in row) / len(row)
        return (x.at(*i) - mean) / math.sqrt(variance + eps) * gamma.at(i[-1]) + beta.at(i[-1])
    return tensor(x.shape, at)


def softmax(x):
    def at(i, j):
        peak = max(x.at(i, k) for k in range(x.shape[1]))
        return math.exp(x.at(i, j) - peak) / sum(math.exp(x.at(i, k) - peak) for k in range(x.shape[1]))
    return tensor(x.shape, at)


def gelu(v):
    return v / 2 * (1 + math.erf(v / math.sqrt(2)))


def rope(x, angles):
    half = angles.shape[1] // 2

    def at(t, h, i):
        if i < half:
            return x.at(t, h, i) * angles.at(t, i) - x.at(t, h, i + half) * angles.at(t, half + i)
        if i < 2 * half:
            return x.at(t, h, i) * angles.at(t, i - half) + x.at(t, h, i - half) * angles.at(t, i)
        return x.at(t, h, i)
    return tensor(x.shape, at)


def joined(a, b):
    """Columns of a and b by the segments (0, 0, 2), (1, 0, 1), (0, 2, 2), (1, 1, 2)."""
    order = [(a, 0), (a, 1), (b, 0), (a, 2), (a, 3), (b, 1), (b, 2)]
    return tensor([a.shape[0], 7], lambda t, c: order[c][0].at(t, order[c][1]))


EXPECTED = {
    "gather_rows-rms_norm-f32-pickedx8":
        lambda x, rows, g: rms_norm(tensor([PICKED, 8], lambda i, j: x.at(int(rows.at(i)), j)), g, 0.25),
    "layer_norm-f32-tokensx8": lambda x, g, b: layer_norm(x, g, b, 0.25),
    "softmax-f32-tokensx8": softmax,
    "gelu-add-f32-tokensx8": lambda x, z: tensor(x.shape, lambda i, j: gelu(x.at(i, j)) + z.at(i, j)),
    "silu-mul-f32-tokensx8": lambda x, z: tensor(x.shape, lambda i, j: x.at(i, j) / (1 + math.exp(-x.at(i, j))) * z.at(i, j)),
    "reduce-f32-8": lambda x: tensor([8], lambda j: max(x.at(i, j) for i in range(ROWS))),
    "reduce-reduce-f32-tokens": lambda x: [tensor([ROWS], lambda i: sum(x.at(i, j) for j in range(8)) / 8),
                                           tensor([ROWS, 1], lambda i, _: min(x.at(i, j) for j in range(8)))],
    "transpose-f32-8xtokens": lambda x: tensor([8, ROWS], lambda i, j: x.at(j, i)),
    "split-f32-tokensx3": lambda x: tensor([ROWS, 3], lambda i, j: x.at(i, j + 5)),
    "concat-f32-tokensx7": joined,
    "rope-f32-tokensx2x8": rope,
}


def functions(text):
    """name -> (argument types as (shape with symbols' sizes, element type, type), number of results, text without our attributes)"""
    found = {}
    for match in re.finditer(r'  func\.func private @"?([^"(]+)"?\((.*?)\) -> (\(.*?\)|\S+) \{\n.*?\n  \}\n', text, re.S):
        arguments = []
        for part in re.finditer(r"%\w+: (tensor<[^>]*>)(?: \{ingot\.dims = #ingot\.dims<([^>]*)>\})?", match.group(2)):
            names = [name.strip().strip('"') for name in (part.group(2) or "").split(",")]
            sizes = part.group(1)[len("tensor<"):-1].split("x")
            shape = [SIZES[names[i]] if size == "?" else int(size) for i, size in enumerate(sizes[:-1])]
            arguments.append((shape, sizes[-1], part.group(1)))
        found[match.group(1)] = arguments, match.group(3).count("tensor<"), re.sub(r" \{ingot\.dims = #ingot\.dims<[^>]*>\}", "", match.group(0))
    return found


def literal(values, shape):
    if not shape:
        return repr(values[0])
    step = len(values) // shape[0]
    return "[" + ", ".join(literal(values[i * step:(i + 1) * step], shape[1:]) for i in range(shape[0])) + "]"


def run(name, arguments, text, maps, inputs, llvm_bin, llvm_lib):
    """The results' values, a list each."""
    outs = arguments[len(inputs):]
    lines = []
    for i, (value, (sizes, kind, declared)) in enumerate(zip(inputs, arguments)):
        static = f"tensor<{'x'.join(map(str, sizes + [kind]))}>"
        lines.append(f"    %s{i} = arith.constant dense<{literal(value.values, sizes)}> : {static}")
        lines.append(f"    %a{i} = tensor.cast %s{i} : {static} to {declared}" if static != declared else
                     f"    %a{i} = tensor.expand_shape %s{i} {[[d] for d in range(len(sizes))]} output_shape {sizes} : {static} into {declared}")
    for i, (shape, element, out) in enumerate(outs):
        static = f"tensor<{'x'.join(map(str, shape + [element]))}>"
        lines.append(f"    %e{i} = tensor.empty() : {static}")
        lines.append(f"    %out{i} = tensor.cast %e{i} : {static} to {out}" if static != out else f"    %out{i} = tensor.empty() : {static}")
    names = ", ".join([f"%a{i}" for i in range(len(inputs))] + [f"%out{i}" for i in range(len(outs))])
    types = ", ".join(kind for _, _, kind in arguments)
    lines.append(f'    %r:{len(outs)} = call @"{name}"({names}) : ({types}) -> ({", ".join(out for _, _, out in outs)})')
    for i, (_, _, out) in enumerate(outs):
        lines.append(f"    %u{i} = tensor.cast %r#{i} : {out} to tensor<*xf32>")
        lines.append(f"    call @printMemrefF32(%u{i}) : (tensor<*xf32>) -> ()")
    lines.append("    return")
    module = maps + "module {\n  func.func private @printMemrefF32(tensor<*xf32>)\n" + text + "  func.func @main() {\n" + \
        "\n".join(lines) + "\n  }\n}\n"
    lowered = subprocess.run([f"{llvm_bin}/mlir-opt"] + PASSES, input=module, capture_output=True, text=True)
    if lowered.returncode:
        sys.exit(f"{name}: mlir-opt failed\n{lowered.stderr[:2000]}")
    libraries = ",".join(f"{llvm_lib}/{lib}.so" for lib in ("libmlir_runner_utils", "libmlir_c_runner_utils"))
    result = subprocess.run([f"{llvm_bin}/mlir-runner", "-e", "main", "-entry-point-result=void", f"-shared-libs={libraries}"],
                            input=lowered.stdout, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{name}: mlir-runner failed\n{result.stderr[:2000]}")
    return [[float(v) for v in re.findall(r"-?\d[\d.e+-]*|nan", part.split("Unranked")[0])] for part in result.stdout.split("data =")[1:]]


def main():
    llvm_bin, llvm_lib = sys.argv[1:]
    text = sys.stdin.read()
    maps = "".join(line + "\n" for line in text.splitlines() if line.startswith("#map"))
    found = functions(text)
    if set(found) != set(EXPECTED):
        sys.exit(f"functions differ: only made {set(found) - set(EXPECTED)}, only expected {set(EXPECTED) - set(found)}")
    random.seed(3)
    for name, (arguments, results, body) in found.items():
        inputs = []
        for shape, kind, _ in arguments[:-results]:
            count = math.prod(shape)
            # Numbers that f32 holds exactly; indices of rows.
            values = [random.randrange(ROWS) if kind == "i32" else random.randrange(-64, 64) / 16 for _ in range(count)]
            inputs.append(Tensor(shape, values))
        wanted = EXPECTED[name](*inputs)
        wanted = wanted if isinstance(wanted, list) else [wanted]
        all_got = run(name, arguments, body, maps, inputs, llvm_bin, llvm_lib)
        if len(wanted) != results or len(all_got) != results:
            sys.exit(f"{name}: expected {len(wanted)} results, found {results}, printed {len(all_got)}")
        for expected, got, (shape, _, _) in zip(wanted, all_got, arguments[-results:]):
            if expected.shape != shape or len(got) != len(expected.values):
                sys.exit(f"{name}: expected {expected.shape}, found {shape} with {len(got)} values")
            worst = max(abs(a - b) for a, b in zip(got, expected.values)) / max(1e-30, max(map(abs, expected.values)))
            if not worst <= TOLERANCE:
                sys.exit(f"{name}: differs by {worst:.2g} of the largest value\nexpected {expected.values}\nfound    {got}")
        print(f"{name} agrees")


main()

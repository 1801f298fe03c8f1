#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles a checkpoint, runs `ingot-run logits` on the ids of its golden.json and compares with the
# golden logits of transformers: at every position, the largest difference over the largest golden
# logit of that position must stay within the tolerance. With several --chunk, the outputs must also
# be equal to the bit. Standard library only.
#   compare_logits.py --ingot BIN --ingot-run BIN --model DIR --work DIR [--compute f32]
#                     [--tolerance 1e-4] [--isa LEVEL] [--chunk N]... [--engine F]
import argparse
import array
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys


class Failure(Exception):
    pass


def write_npy_i32(path, values):
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack("<%di" % len(values), *values))


def read_npy_f32(path):
    data = path.read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise Failure(f"{path}: not an .npy file")
    wide = data[6] >= 2
    size = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    start = (12 if wide else 10) + size
    header = data[start - size:start].decode("latin-1")
    descr = re.search(r"'descr': *'([^']*)'", header)
    shape = re.search(r"'shape': *\(([^)]*)\)", header)
    if not descr or descr.group(1) != "<f4" or not shape or re.search(r"'fortran_order': *True", header):
        raise Failure(f"{path}: expected little-endian float32 in row-major order, found header {header.strip()}")
    return floats(data[start:]), [int(n) for n in shape.group(1).split(",") if n.strip()]


def floats(data):
    values = array.array("f")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def read_cases(model):
    golden = json.loads((model / "golden.json").read_text())
    if "cases" in golden:
        return golden["cases"]
    ids = golden["logits_prompt_ids"]
    vocab = json.loads((model / "config.json").read_text())["vocab_size"]
    file = next(model.glob("logits_*.f32")).name
    return [dict(name=f"tokens-{len(ids)}", ids=ids, logits_file=file, shape=[len(ids), vocab])]


def run(command, isa):
    environment = dict(os.environ)
    if isa:
        environment["INGOT_ISA"] = isa
    command = [str(part) for part in command]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failure(f"exit status {done.returncode} of: {' '.join(command)}\n{done.stdout.decode(errors='replace')}")


def compare(found, expected, rows, columns, tolerance, where):
    """Returns the largest relative difference; raises Failure naming the worst place beyond the tolerance."""
    worst, place, first = 0.0, None, None
    for row in range(rows):
        a, b = found[row * columns:(row + 1) * columns], expected[row * columns:(row + 1) * columns]
        if a == b:
            continue
        scale = max(max(b), -min(b)) or 1.0
        off = [abs(x - y) for x, y in zip(a, b)]
        if not math.isfinite(sum(off)):
            off = [x if math.isfinite(x) else math.inf for x in off]
        most = max(off)
        if first is None and most > tolerance * scale:
            first = row
        if most / scale > worst:
            worst, place = most / scale, (row, off.index(most))
    if worst > tolerance:
        at = place[0] * columns + place[1]
        raise Failure(f"{where}: relative difference {worst:.3g} above {tolerance:g} at position {place[0]}, token {place[1]}: "
                      f"expected {expected[at]:.7g}, found {found[at]:.7g}; first position beyond the tolerance: {first}")
    return worst


def check(args):
    args.work.mkdir(parents=True, exist_ok=True)
    engine = args.engine
    if engine is None:
        engine = args.work / f"{args.model.name}-{args.compute}.ingot"
        run([args.ingot, "compile", args.model, "-o", engine, f"--compute={args.compute}"], None)
    for case in read_cases(args.model):
        name = f"{args.model.name}/{case['name']}"
        rows, columns = case["shape"]
        expected = floats((args.model / case["logits_file"]).read_bytes())
        if len(expected) != rows * columns:
            raise Failure(f"{name}: {case['logits_file']} holds {len(expected)} values, expected {rows * columns}")
        tokens = args.work / f"{args.model.name}-{case['name']}.npy"
        write_npy_i32(tokens, case["ids"])
        chunks = [None] if case.get("whole_only") or not args.chunk else args.chunk
        first, worst = None, 0.0
        for chunk in chunks:
            where = name + (f" --chunk {chunk}" if chunk else "")
            out = args.work / (re.sub(r"[/ ]+", "-", where) + (f"-{args.isa}" if args.isa else "") + f"-{args.compute}-out.npy")
            command = [args.ingot_run, "logits", engine, "--tokens", tokens, "-o", out]
            command += ["--chunk", chunk] if chunk else []
            command += ["--context", case["context"]] if "context" in case else []
            run(command, args.isa)
            found, shape = read_npy_f32(out)
            if shape != [rows, columns] or len(found) != rows * columns:
                raise Failure(f"{where}: expected shape {[rows, columns]}, found {shape} with {len(found)} values")
            worst = max(worst, compare(found, expected, rows, columns, args.tolerance, where))
            if first is None:
                first = (found, where)
            elif found.tobytes() != first[0].tobytes():
                at = next(i for i in range(len(found)) if struct.pack("f", found[i]) != struct.pack("f", first[0][i]))
                raise Failure(f"{where}: not bit-identical to {first[1]}: position {at // columns}, token {at % columns}: "
                              f"expected {first[0][at]!r}, found {found[at]!r}")
        print(f"OK {name} {worst:.2e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="compares ingot's logits with a checkpoint's golden logits")
    parser.add_argument("--ingot", type=pathlib.Path)
    parser.add_argument("--ingot-run", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a checkpoint directory with golden.json")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where engines and outputs go")
    parser.add_argument("--engine", type=pathlib.Path, help="an engine already compiled from the model")
    parser.add_argument("--compute", default="f32")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--isa", help="restricts the instruction set: avx2, avx512, avx512bf16")
    parser.add_argument("--chunk", type=int, action="append", help="tokens per step; 0 is all at once")
    args = parser.parse_args()
    if args.engine is None and args.ingot is None:
        parser.error("give --ingot to compile the model, or --engine")
    try:
        check(args)
    except (Failure, OSError) as error:
        print(f"FAIL {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

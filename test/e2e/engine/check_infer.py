# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs inputs/several-dims.mlir by ingot-run infer, with tensors of several types and dimensions, and compares with what
its ops say in Python.

    check_infer.py --ingot-run BIN --engine FILE --work DIR [--device DEVICE] BATCH SEQUENCE
"""
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runtime"))
import npy  # noqa: E402

parser = argparse.ArgumentParser()
for option in ("--ingot-run", "--engine", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("--device", default="cpu")
parser.add_argument("batch", type=int)
parser.add_argument("sequence", type=int)
args = parser.parse_args()
batch, sequence, work = args.batch, args.sequence, args.work
half = (sequence + 1) // 2

x = [(-1) ** i * (i % 61) / 8 for i in range(batch * sequence * 8)]
h = [i / 16 - 1 for i in range(half * 2)]
p = [i % 3 - 1 for i in range((batch + 1) * 3)]
npy.write(f"{work}/x.npy", "f4", (batch, sequence, 8), x)
npy.write(f"{work}/h.npy", "f2", (half, 2), h)
npy.write(f"{work}/b.npy", "V2", (), [-2.5])
npy.write(f"{work}/p.npy", "i1", (batch + 1, 3), p)
command = [args.ingot_run, "infer", args.engine, "--device", args.device]
for name in "xhbp":
    command += ["--input", f"{name}={work}/{name}.npy"]
subprocess.run(command + [f"--output={name}={work}/{name}.npy" for name in "ygcq"], check=True)

relu = [max(value, 0.0) for value in x]
assert npy.read(f"{work}/y.npy") == ("f4", (sequence, batch, 8), [
    relu[(b * sequence + s) * 8 + i] for s in range(sequence) for b in range(batch) for i in range(8)])
assert npy.read(f"{work}/g.npy") == ("f4", (half, 2), [2 * value for value in h])
assert npy.read(f"{work}/c.npy") == ("V2", (), [-2.5])
assert npy.read(f"{work}/q.npy") == ("i1", (batch + 1, 3), p)
printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
assert printed[2] == "c: bf16 [] = -2.5", printed
assert printed[3].startswith(f"q: i8 [{batch + 1}, 3] = -1, 0, 1"), printed
# What ml_dtypes does not write, NumPy may: bfloat16 as integers of its bits.
npy.write(f"{work}/b.npy", "u2", (), [npy.to_bf16(0.75)])
printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
assert printed[2] == "c: bf16 [] = 0.75", printed

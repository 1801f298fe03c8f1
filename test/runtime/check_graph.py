# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the test graph (test/unit/runtime/test_engine.h) by ingot-run infer and compares with its description.

    check_graph.py --ingot-run BIN --engine FILE --work DIR TOKENS SEQUENCES
"""
import argparse
import itertools
import subprocess

import npy

parser = argparse.ArgumentParser()
for option in ("--ingot-run", "--engine", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("tokens", type=int)
parser.add_argument("sequences", type=int)
args = parser.parse_args()
tokens, sequences, work = args.tokens, args.sequences, args.work

values = [7 * i - 20 for i in range(4 * tokens)]
npy.write(f"{work}/in.npy", "i4", (tokens, 4), values)
npy.write(f"{work}/mask.npy", "i4", (sequences, tokens + 1), [0] * (sequences * (tokens + 1)))
npy.write(f"{work}/flat.npy", "i4", (tokens * sequences,), list(range(tokens * sequences)))
npy.write(f"{work}/pairs.npy", "i4", (tokens, sequences), [0] * (tokens * sequences))
inputs = [f"--input={name}={work}/{name}.npy" for name in ("flat", "in", "mask")]
outputs = [f"--output={name}={work}/{name}.npy" for name in ("sums", "sum")]
subprocess.run([args.ingot_run, "infer", args.engine, *inputs, *outputs, "--threads", "2"], check=True)
expected = [value + i % 4 for i, value in enumerate(values)]
assert npy.read(f"{work}/sum.npy") == ("i4", (tokens, 4), expected)
sums = list(itertools.accumulate(sum(expected[4 * t:4 * t + 4]) for t in range(tokens)))
assert npy.read(f"{work}/sums.npy") == ("i4", (tokens,), sums)

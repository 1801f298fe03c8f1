#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The instruction sets of one engine against each other: their logits may differ only by the rounding of the formats.
#   check_sets.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR --compute TYPE --tolerance X
#                 --isa LEVEL --isa LEVEL [--isa LEVEL]...
import argparse
import pathlib

from support import compare_logits, logit_cases, main, read_npy_f32, run, shared_engine, write_npy_i32


def check_sets():
    parser = argparse.ArgumentParser(description="compares the instruction sets of an engine")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--compute", required=True)
    parser.add_argument("--tolerance", type=float, required=True)
    parser.add_argument("--isa", action="append", required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    engine = shared_engine(args.ingot, args.model, args.cache, [f"--compute={args.compute}"])
    for case in logit_cases(args.model):
        tokens, out = args.work / "tokens.npy", args.work / "out.npy"
        write_npy_i32(tokens, case["ids"])
        rows, columns = case["shape"]
        logits = {}
        for isa in args.isa:
            run([args.ingot_run, "logits", engine, "--tokens", tokens, "-o", out], isa)
            logits[isa] = read_npy_f32(out)[0]
        first = args.isa[0]
        for isa in args.isa[1:]:
            where = f"{args.model.name}/{case['name']} {args.compute}: {isa} against {first}"
            worst = compare_logits(logits[isa], logits[first], rows, columns, args.tolerance, where)
            print(f"OK {where}: {worst:.2e}")


if __name__ == "__main__":
    main(check_sets)

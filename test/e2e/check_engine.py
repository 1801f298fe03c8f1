#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# One input gives one file: compiled with other numbers of threads, again, from another folder of the same name and under
# another name, an engine has the same bytes; another seed or another precision gives another file.
#   check_engine.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR [compile options]
import argparse
import pathlib
import shutil

from support import Failure, main, run


def check_engine():
    parser = argparse.ArgumentParser(description="compares engines byte by byte")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    args, options = parser.parse_known_args()
    shutil.rmtree(args.work, ignore_errors=True)
    elsewhere = args.work / "elsewhere" / args.model.name
    shutil.copytree(args.model, elsewhere)
    made = {}

    def compiled(name, model, more):
        out = args.work / name
        run([args.ingot, "compile", model, "-o", out, "--quiet"] + options + more)
        made[name] = out.read_bytes()

    compiled("first.ingot", args.model, [])
    compiled("again.ingot", args.model, [])
    for threads in (1, 2, 5):
        compiled(f"threads-{threads}.ingot", args.model, [f"--threads={threads}"])
    compiled("elsewhere.ingot", elsewhere, [])
    reference = made["first.ingot"]
    for name, data in made.items():
        if data != reference:
            at = next((i for i, (a, b) in enumerate(zip(data, reference)) if a != b), min(len(data), len(reference)))
            raise Failure(f"{name} differs from first.ingot: {len(data)} and {len(reference)} bytes, first difference at {at}")
    print(f"OK {args.model.name} {' '.join(options)} {len(reference)} bytes")


if __name__ == "__main__":
    main(check_engine)

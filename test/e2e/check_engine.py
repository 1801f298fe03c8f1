#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# One input gives one file: compiled with other numbers of threads, from another folder of the same name and under another
# name, without a cache of code, into an empty one and out of it, an engine has the same bytes.
#   check_engine.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --model DIR [compile options]
import argparse
import pathlib
import re
import shutil

from support import Failure, check, main, run


def check_engine():
    parser = argparse.ArgumentParser(description="compares engines byte by byte")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    args, options = parser.parse_known_args()
    shutil.rmtree(args.work, ignore_errors=True)
    elsewhere = args.work / "elsewhere" / args.model.name
    shutil.copytree(args.model, elsewhere)
    made = {}

    def compiled(name, model, threads, cache=""):
        out = args.work / name
        _, told = run([args.ingot, "compile", model, "-o", out, f"--threads={threads}"] + options,
                      variables={"INGOT_CACHE_DIR": str(cache)})
        made[name] = out.read_bytes()
        return re.findall(r"(\d+) of (\d+) functions? from the cache", told)

    compiled("first.ingot", args.model, 2)
    for threads in (1, 5):
        check(compiled(f"threads-{threads}.ingot", args.model, threads), [], "functions from no cache")
    cache = args.work / "code"
    check(compiled("filling.ingot", args.model, 2, cache), [], "functions from an empty cache")
    known = compiled("elsewhere.ingot", elsewhere, 2, cache)
    if len(known) != 1 or known[0][0] != known[0][1]:
        raise Failure(f"functions from the cache: expected all, found {known}")
    reference = made["first.ingot"]
    for name, data in made.items():
        if data != reference:
            at = next((i for i, (a, b) in enumerate(zip(data, reference)) if a != b), min(len(data), len(reference)))
            raise Failure(f"{name} differs from first.ingot: {len(data)} and {len(reference)} bytes, first difference at {at}")
    print(f"OK {args.model.name} {' '.join(options)} {len(reference)} bytes")


if __name__ == "__main__":
    main(check_engine)

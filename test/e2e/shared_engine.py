#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Copies the engine of a model to a path of the caller's own, compiling it only when no test has done so yet.
#   shared_engine.py --ingot BIN --cache DIR MODEL OUT [compile options]
import argparse
import pathlib

from support import copy_engine, main


def copy():
    parser = argparse.ArgumentParser(description="copies an engine, compiled when needed")
    parser.add_argument("--ingot", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args, options = parser.parse_known_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    copy_engine(args.ingot, args.model, args.cache, options, args.out)


if __name__ == "__main__":
    main(copy)

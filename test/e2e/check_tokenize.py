#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `ingot-run tokenize` of a text against recorded ids of transformers, and back to the text.
#   check_tokenize.py --ingot-run BIN --engine F --text FILE --golden FILE --model NAME
import argparse
import json
import pathlib

from support import check, main, run


def check_tokenize():
    parser = argparse.ArgumentParser(description="compares token ids with recorded ones")
    for name in ("--ingot", "--ingot-run", "--engine", "--text", "--golden"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--model")
    args = parser.parse_args()
    text = args.text.read_bytes()
    golden = json.loads(args.golden.read_text())["models"][args.model]
    out, _ = run([args.ingot_run, "tokenize", args.engine, "--no-special"], input=text)
    ids = [int(id) for id in out.replace(",", " ").split()]
    check(ids, golden["ids"], "ids")
    back, _ = run([args.ingot_run, "tokenize", args.engine, "--decode"], input=out.encode())
    check(back.rstrip("\n"), text.decode().rstrip("\n"), "decoded text")
    print(f"OK {len(ids)} ids")


if __name__ == "__main__":
    main(check_tokenize)

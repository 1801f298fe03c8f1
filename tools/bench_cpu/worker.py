# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What the rivals' processes share. Each rival is a script of this folder with a class that has
#   prepare(checkpoint, out, precision)   static: converts a Hugging Face checkpoint into the folder `out` and returns
#                                         the bytes of weights that one token of decode reads
#   Rival(path, precision, threads, context)
#   run(ids, new) -> (seconds to the first new token, seconds from it to the last)
# and ends with main(Rival). tools/bench-cpu starts a process for each preparation and each measurement.
import argparse
import json
import pathlib
import random
import statistics
import sys
import time

MEASURE_SECONDS = 2.0  # short runs are repeated until they add up to this


def progress(text):
    print(text, file=sys.stderr, flush=True)


def repeated(one):
    """Medians of one() over some seconds. The first counts only when it is the only one: it sets things up."""
    values, spent = [], 0.0
    while spent < MEASURE_SECONDS:
        values.append(one())
        spent += values[-1]
    return statistics.median(values[1:] or values)


def main(rival):
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    prepare = verbs.add_parser("prepare")
    for name in ("checkpoint", "out"):
        prepare.add_argument(name, type=pathlib.Path)
    prepare.add_argument("precision")
    for name in ("first", "speed"):
        verb = verbs.add_parser(name)
        verb.add_argument("path", type=pathlib.Path)
        verb.add_argument("precision")
        verb.add_argument("--vocabulary", type=int, required=True)
        for count in ("--threads", "--prompt", "--decode-prompt", "--decode", "--seed"):
            verb.add_argument(count, type=int, required=True)
    args = parser.parse_args()
    if args.verb == "prepare":
        print(json.dumps({"weight_bytes": rival.prepare(args.checkpoint, args.out, args.precision)}), flush=True)
        return
    draws = random.Random(args.seed)

    def ids(count):  # new ones each time: some engines remember prompts
        return [draws.randrange(3, args.vocabulary) for _ in range(count)]

    context = max(args.prompt, args.decode_prompt + args.decode) + 64
    engine = rival(args.path, args.precision, args.threads, context)
    if args.verb == "first":
        engine.run(ids(2), 1)
        print("first", flush=True)
        return
    engine.run(ids(args.decode_prompt), 4)
    prefill = repeated(lambda: engine.run(ids(args.prompt), 1)[0])
    decode = repeated(lambda: engine.run(ids(args.decode_prompt), args.decode + 1)[1])
    print(json.dumps({"prefill_tokens_per_second": args.prompt / prefill, "decode_tokens_per_second": args.decode / decode}), flush=True)



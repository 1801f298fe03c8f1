#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The test decoder through the command line against reference.py: ids, ends, logits, however they are cut.
#   check_decoder.py --ingot-run BIN --engine F --work DIR
import argparse
import json
import pathlib
import sys

import reference

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from support import Failure, check, main, read_npy_f32, run, write_npy_i32  # noqa: E402


def check_decoder():
    parser = argparse.ArgumentParser()
    for name in ("--ingot-run", "--engine", "--work"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    args = parser.parse_args()
    prompt = [(7 * i * i + 3) % 97 for i in range(60)]
    base = [args.ingot_run, args.engine, "--ids", ",".join(map(str, prompt)), "--json"]

    def generated(*options):
        return json.loads(run(base + list(options))[0])

    free = ["-n", 50, "--ignore-eos"]
    for how in ([], ["--chunk", 1], ["--chunk", 7, "--threads", 2], ["--context", 110], ["--kv-memory", "1K"]):
        found = generated("--greedy", *free, *how)
        check(found["ids"], reference.generate(prompt, 50), f"greedy {how}")
        check(found["finish_reason"], "length", f"greedy {how}")
        check(found["prompt_ids"], prompt, "prompt ids")
        check((found["timings"]["prompt_tokens"], found["timings"]["new_tokens"]), (60, 50), "counts")
    found = generated("--temperature", 0.8, "--seed", 12, *free)
    check(found["ids"], reference.generate(prompt, 50, 0.8, 12), "drawn")
    # A seed asks for drawing, though the checkpoint says greedy; --greedy has the last word.
    check(generated("--seed", 12, *free)["ids"], reference.generate(prompt, 50, 1, 12), "with a seed alone")
    check(generated("--seed", 12, "--greedy", *free)["ids"], reference.generate(prompt, 50), "seed and greedy")
    found = generated("--greedy", "--repetition-penalty", 1.5, *free)
    check(found["ids"], reference.generate(prompt, 50, repetition=True), "repetition penalty")
    # Until the context is full: 200 positions.
    found = generated("--greedy", "--ignore-eos")
    check(found["ids"], reference.generate(prompt, 140), "until the context is full")
    # The end token, 7.
    for start in range(97):
        expected = reference.generate([start], 150)
        if 7 in expected:
            break
    found = json.loads(run([args.ingot_run, args.engine, "--ids", start, "--json", "--greedy"])[0])
    check(found["ids"], expected[:expected.index(7) + 1], "ids up to the end token")
    check((found["finish_reason"], found["stop_reason"]), ("stop", 7), "why it ended")

    args.work.mkdir(parents=True, exist_ok=True)
    tokens, other, out = args.work / "tokens.npy", args.work / "other.npy", args.work / "out.npy"
    write_npy_i32(tokens, prompt)
    write_npy_i32(other, prompt[::-1][:41])
    expected = [value for row in reference.logits(prompt) for value in row]
    for how in ([], ["--chunk", 1], ["--chunk", 9], ["--mix", other], ["--mix", other, "--chunk", 5], ["--threads", 2]):
        run([args.ingot_run, "logits", args.engine, "--tokens", tokens, "-o", out, *how])
        found, shape = read_npy_f32(out)
        check(shape, [60, 97], f"shape of logits {how}")
        check(list(found), expected, f"logits {how}")
    print("OK")


if __name__ == "__main__":
    main(check_decoder)

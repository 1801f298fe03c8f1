#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `bench --trace`: as many requests and tokens as in the trace, as far as the context holds them, and each with the ids
# that its prompt gives alone. Interrupted, it tells what was measured.
#   check_trace.py --ingot-run BIN --engine FILE --trace FILE.csv --context N --work DIR
import argparse
import csv
import json
import pathlib
import signal
import subprocess
import sys
import time


def fail(text):
    print(f"FAIL {text}")
    sys.exit(1)


def check(found, expected, what):
    if found != expected:
        fail(f"{what}: expected {expected!r}, found {found!r}")


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"exit status {done.returncode} of {command}\n{done.stderr}")
    return done


def main():
    parser = argparse.ArgumentParser()
    for name in ("--ingot-run", "--engine", "--trace", "--work"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--context", type=int, required=True)
    args = parser.parse_args()
    rows = list(csv.DictReader(args.trace.open()))
    lengths, shortened = [], 0
    for row in rows:
        prompt, output = int(row["ContextTokens"]), int(row["GeneratedTokens"])
        new = min(output, args.context - 1)
        lengths.append((min(prompt, args.context - new), new))
        shortened += lengths[-1] != (prompt, output)
    alone = {}
    base = [args.ingot_run, "bench", args.engine, "--trace", args.trace, "--json"]
    out = args.work / "outputs.jsonl"
    for options in (["--threads", 1], ["--threads", 2, "--batch", 3, "--chunk", 16, "--speed", 3],
                    ["--threads", 2, "--batch", 20, "--chunk", 5, "--speed", 1000], ["--batch", 1, "--speed", 1000]):
        done = run(base + options + ["--outputs", out])
        found = json.loads(done.stdout)
        check((found["requests"], found["completed"], found["shortened"]), (len(rows), len(rows), shortened), f"{options}: requests")
        check(found["prompt_tokens"], sum(prompt for prompt, _ in lengths), f"{options}: prompt tokens")
        check(found["output_tokens"], sum(new for _, new in lengths), f"{options}: output tokens")
        check(f"{shortened} of {len(rows)} requests were shortened to the context of {args.context} positions" in done.stderr, True,
              f"{options}: told that requests were shortened")
        for what in ("time_to_first_token", "time_per_output_token", "queueing"):
            times = found[what]
            if not 0 <= times["p50"] <= times["p90"] <= times["p99"] <= found["seconds"]:
                fail(f"{options}: {what} are no percentiles: {times}")
        if found["time_to_first_token"]["p99"] < found["queueing"]["p99"]:
            fail(f"{options}: waited longer than until the first token: {found}")
        outputs = [json.loads(line) for line in out.read_text().splitlines()]
        check([(len(one["prompt"]), len(one["ids"])) for one in outputs], lengths, f"{options}: lengths of requests")
        for one in outputs:
            prompt = ",".join(map(str, one["prompt"]))
            key = prompt, len(one["ids"])
            if key not in alone:
                single = run([args.ingot_run, args.engine, "--ids", prompt, "-n", len(one["ids"]), "--greedy", "--ignore-eos", "--json"])
                alone[key] = json.loads(single.stdout)["ids"]
            check(one["ids"], alone[key], f"{options}: ids of request {one['request']}")
    check(len(alone), len(rows), "prompts: the same with any options, none like another")
    other = run(base + ["--seed", 2, "--limit", 1, "--outputs", out])
    check(json.loads(other.stdout)["requests"], 1, "--limit 1: requests")
    if ",".join(map(str, json.loads(out.read_text())["prompt"])) in {prompt for prompt, _ in alone}:
        fail("--seed 2 gives the prompt of seed 1")

    # The last requests come hours later; Ctrl-C while it waits for them.
    child = subprocess.Popen([str(part) for part in base + ["--speed", "1e-4", "--threads", "1"]], stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    text = child.communicate(timeout=60)[0]
    check(child.returncode, 130, "exit status after Ctrl-C")
    found = json.loads(text)
    if not 0 <= found["completed"] < found["requests"] == len(rows):
        fail(f"after Ctrl-C: {found['completed']} of {found['requests']} requests, expected fewer than {len(rows)}")
    print("OK")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `ingot-run chat` from a script: every reply is that of a fresh run over the same messages, and what the cache holds of
# the conversation is not computed again: of each prompt, as many tokens come from the cache as it has in common with
# the prompt and the reply before it (the last token of which was never computed).
#   check_chat.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --engine F --template FILE [--drop]
# --drop: the template leaves out what the conversation had before, as templates do with reasoning.
import argparse
import json
import pathlib
import re

from support import Failure, check, main, run

SAYINGS = ["Who are you", "Tell me of the wolf", "And then \\\nwhat came of him", "Where is the gold", "Farewell"]


def common(a, b):
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return i
    return min(len(a), len(b))


def talk():
    parser = argparse.ArgumentParser(description="compares a conversation with fresh runs")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--engine", "--template"):
        parser.add_argument(name, type=pathlib.Path, required=name != "--cache")
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--drop", action="store_true")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    chat = [args.ingot_run, "chat", args.engine, "--chat-template", args.template, "--verbose", "-n", "16"] + args.option
    system = ["--system", "There was once a king."]
    history = args.work / "history.json"

    script = "".join(line + f"\n/save {args.work}/turn{i}.json\n" for i, line in enumerate(SAYINGS))
    script += f"/reset\n{SAYINGS[1]}\n/system He had a son.\n{SAYINGS[0]}\n/save {history}\n"
    out, err = run(chat + system, input=script.encode())
    replies = [(int(a), int(b)) for a, b in re.findall(r"prompt of (\d+) tokens, (\d+) of them from the cache", err)]
    turns = [json.loads((args.work / f"turn{i}.json").read_text()) for i in range(len(SAYINGS))]
    last = json.loads(history.read_text())
    # After /reset: the first one under the old system message, the second one under the new.
    turns += [turns[0][:1] + last[1:3], last]
    check(len(replies), len(turns), "replies")
    check([message["content"] for message in last if message["role"] == "system"], ["He had a son."], "system message")
    check(out, "".join(turn[-1]["content"] + "\n" for turn in turns), "standard output")

    held = []
    reused = 0
    for i, messages in enumerate(turns):
        check(messages[-1]["role"], "assistant", f"last message of turn {i}")
        file = args.work / "fresh.json"
        file.write_text(json.dumps(messages[:-1]))
        fresh = json.loads(run(chat + ["--messages", file, "--json"])[0])
        check(fresh["message"], messages[-1], f"reply of turn {i}")
        check(len(fresh["prompt_ids"]), replies[i][0], f"tokens of turn {i}")
        expected = min(common(held, fresh["prompt_ids"]), len(fresh["prompt_ids"]) - 1)
        check(replies[i][1], expected, f"tokens of turn {i} from the cache")
        held = fresh["prompt_ids"] + fresh["ids"][:-1]
        reused += expected
    if not args.drop and reused * 2 < sum(prompt for prompt, _ in replies):
        raise Failure(f"the conversation has little in common with itself: {replies}")
    print(f"OK {replies}")


if __name__ == "__main__":
    main(talk)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `ingot-run chat` on a pseudo-terminal, as a person uses it: editing, history, commands, Ctrl-C, colours.
#   check_terminal.py --ingot BIN --ingot-run BIN --cache DIR --work DIR --engine F --template FILE
import argparse
import json
import pathlib
import signal

from support import Failure, check, main, run
from terminal import Terminal

PROMPT = r"(?:^|\n)> (?:\x1b\[K)?$"


def converse():
    parser = argparse.ArgumentParser(description="talks on a pseudo-terminal")
    for name in ("--ingot", "--ingot-run", "--cache", "--work", "--engine", "--template"):
        parser.add_argument(name, type=pathlib.Path, required=name != "--cache")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    base = [args.ingot_run, "chat", args.engine, "--chat-template", args.template, "--greedy"]
    short = base + ["-n", "8"]
    saved = args.work / "saved.json"

    def contents():
        return [message["content"] for message in json.loads(saved.read_text())]

    # Editing: characters of several bytes, deleting, moving, history; a message over two lines; commands.
    chat = Terminal(short + ["--system", "Hush."])
    chat.wait(PROMPT)
    chat.type("h\u00e9 \u4e16xy\x7f\x01>\x05<\x17two\r")  # x y, y deleted, > at the start, < at the end, that word deleted
    chat.wait(PROMPT)
    chat.type("\x1b[A\x7f!\r")  # the line before, its end changed
    chat.wait(PROMPT)
    chat.type("one\\\r")
    chat.wait(r"\n\. $")
    chat.type("two\r")
    chat.wait(PROMPT)
    chat.type(f"/save {saved}\r")
    chat.wait("7 messages are in")
    chat.wait(PROMPT)
    check(contents()[0::2], ["Hush.", *contents()[2::2]], "system message and replies")
    check(contents()[1::2], [">h\u00e9 two", ">h\u00e9 tw!", "one\ntwo"], "messages typed")
    chat.type("/nonsense\r")
    chat.wait("no command '/nonsense'")
    chat.type("/help\r")
    chat.wait("/system TEXT")
    chat.type("/reset\r")
    chat.wait("begins anew")
    chat.type("/system Be brief.\r")
    chat.wait("is set")
    chat.type(f"/save {saved}\r")
    chat.wait("1 messages are in")
    check(contents(), ["Be brief."], "messages after /reset and /system")
    chat.type("/exit\r")
    check(chat.end(), 0, "exit status of /exit")

    # Ctrl-D ends it; so does a second Ctrl-C at an empty line, but a first one, and one that drops a line, do not.
    chat = Terminal(short)
    chat.wait(PROMPT)
    chat.type("\x04")
    check(chat.end(), 0, "exit status of Ctrl-D")
    chat = Terminal(short)
    chat.wait(PROMPT)
    chat.interrupt()
    chat.wait("Ctrl-C once more leaves")
    chat.wait(PROMPT)
    chat.type("dropped")
    chat.wait("dropped")
    chat.interrupt()
    chat.wait(PROMPT)
    chat.interrupt()
    chat.wait("Ctrl-C once more leaves")
    chat.wait(PROMPT)
    chat.type("kept\r")
    chat.wait("kept")
    chat.wait(PROMPT)
    chat.type(f"/save {saved}\r")
    chat.wait("2 messages")
    check(contents()[0], "kept", "message after a dropped line")
    chat.wait(PROMPT)
    chat.interrupt()
    chat.wait(PROMPT)
    chat.interrupt()
    check(chat.end(), 130, "exit status of Ctrl-C twice")

    # Ctrl-C stops a reply and not the program; what was written by then is the assistant's message.
    chat = Terminal(base + ["--ignore-eos", "--context", "300000", "--kv-memory", "2G"])
    chat.wait(PROMPT)
    for i in range(2):
        chat.type(f"Tell me more of it, part {i}\r")
        chat.wait(f"part {i}\r\n")
        shown = chat.wait(r"(\w+\W+){12}").replace("\r\n", "\n")
        chat.interrupt()  # what the terminal has not handed over yet is dropped
        chat.wait(PROMPT)
        chat.type(f"/save {saved}\r")
        chat.wait(f"{2 * i + 2} messages")
        messages = json.loads(saved.read_text())
        check([message["role"] for message in messages], ["user", "assistant"] * (i + 1), "roles")
        if not messages[-1]["content"].startswith(shown):
            raise Failure(f"the stopped reply is kept as {messages[-1]['content'][:500]!r}, shown was {shown!r}")
        chat.wait(PROMPT)
    chat.type("And so on\r")
    chat.wait(r"\w+ \w+ \w+ \w+ \w+")
    chat.signal(signal.SIGTERM)
    check(chat.end(), 128 + signal.SIGTERM, "exit status of SIGTERM while replying")
    chat = Terminal(short)
    chat.wait(PROMPT)
    chat.signal(signal.SIGTERM)
    check(chat.end(), 128 + signal.SIGTERM, "exit status of SIGTERM at the prompt")

    # Reasoning is dimmed on a terminal alone, and not under NO_COLOR. The tags are words that the model is known to write.
    first = json.loads(run([*short, "--messages", one(args.work), "--json"])[0])["text"].split()
    tags = ["--reasoning-tags", first[0], first[2]]
    for environment, dimmed in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)):
        chat = Terminal([*short, *tags, "--messages", one(args.work)], environment)
        check(chat.end(), 0, "exit status")
        check("\x1b[2m" in chat.text, dimmed, f"dimmed under {environment}")
        plain = chat.text.replace("\x1b[2m", "").replace("\x1b[0m", "")
        check(plain.split()[:3], first[:3], "text on the terminal")
        if dimmed:
            section = chat.text[chat.text.index("\x1b[2m") + 4:chat.text.index("\x1b[0m")]
            check(section.split(), first[:3], "dimmed text")
    out = args.work / "reply.txt"
    chat = Terminal([*short, *tags], out=out)  # edits on standard error, replies to a file
    chat.wait(PROMPT)
    chat.type("Who are you\r")
    chat.wait(PROMPT)
    chat.type("\x04")
    check(chat.end(), 0, "exit status with standard output in a file")
    check(out.read_text().split()[:3], first[:3], "text in a file")
    print("OK")


def one(work):
    file = work / "one.json"
    file.write_text(json.dumps([{"role": "user", "content": "Who are you"}]))
    return file


if __name__ == "__main__":
    main(converse)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Changes an engine: damage that its checksums must find, or changes under true checksums that only the reader's own
# checks can find. Operations are applied in the order of the command line.
#   patch_engine.py IN OUT [--flip SECTION] [--flip-at OFFSET] [--cut N] [--append N] [--version N] [--magic TEXT]
#       [--replace SECTION:OLD=NEW] [--offset SECTION=N] [--size SECTION=N] [--kind SECTION=N] [--fill SECTION=BYTE]
#       [--drop SECTION] [--checksum SECTION] [--print]
# HEADER and TABLE count as sections for --flip. --cut keeps the first N bytes, or with a negative N drops the last.
import argparse
import pathlib
import struct

from engine_file import ENTRY, HEADER, Engine

OPERATIONS = ["flip", "flip-at", "cut", "append", "version", "magic", "replace", "offset", "size", "kind", "fill", "drop",
              "checksum"]


def place(engine, name):
    return {"HEADER": (0, HEADER), "TABLE": (HEADER, ENTRY * engine.count)}.get(name) or engine.sections[name]


def apply(engine, operation, argument):
    name, _, value = argument.partition("=")
    if operation == "flip":
        offset, size = place(engine, name)
        engine.data[offset + size // 2] ^= 0x10
    elif operation == "flip-at":
        engine.data[int(argument)] ^= 0x10
    elif operation == "cut":
        del engine.data[int(argument):]
    elif operation == "append":
        engine.data += bytes(int(argument))
    elif operation == "version":
        struct.pack_into("<I", engine.data, 8, int(argument))
    elif operation == "magic":
        engine.data[:8] = argument.encode().ljust(8)[:8]
    elif operation == "replace":
        section, _, rest = argument.partition(":")
        old, _, new = rest.partition("=")
        engine.replace(section, old.encode(), new.encode())
    elif operation in ("offset", "size", "kind"):
        engine.set_entry(name, **{operation: int(value)})
    elif operation == "fill":
        offset, size = engine.sections[name]
        engine.data[offset:offset + size] = bytes([int(value)]) * size
        engine.seal_section(name)
    elif operation == "drop":
        # The rows behind it move up.
        at, last = engine.places[argument], HEADER + ENTRY * (engine.count - 1)
        engine.data[at:last] = engine.data[at + ENTRY:last + ENTRY]
        engine.data[last:last + ENTRY] = bytes(ENTRY)
        engine.count -= 1
        struct.pack_into("<I", engine.data, 12, engine.count)
        engine.seal()
    elif operation == "checksum":
        engine.seal_section(argument)


class Then(argparse.Action):
    def __call__(self, parser, namespace, values, option=None):
        namespace.steps.append((self.dest, values))


def main():
    parser = argparse.ArgumentParser(description="changes an engine file")
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--print", action="store_true", help="print the section table")
    for operation in OPERATIONS:
        parser.add_argument("--" + operation, dest=operation, action=Then)
    parser.set_defaults(steps=[])
    args = parser.parse_args()
    engine = Engine(args.input)
    for operation, argument in args.steps:
        apply(engine, operation, argument)
    engine.write(args.output)
    if args.print:
        for name, (offset, size) in engine.sections.items():
            print(f"{name} {offset} {size}")


if __name__ == "__main__":
    main()

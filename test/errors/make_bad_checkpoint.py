#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Copies a small checkpoint and damages the copy, one operation after another, in the order of the command line.
# Operations on tensors read model.safetensors and write it again; operations on bytes work on the file as it is.
#   make_bad_checkpoint.py MODEL OUT [--set KEY=JSON] [--drop KEY] [--drop-tensor NAME] [--add-tensor NAME=SHAPE]
#       [--fill NAME=HEX] [--reshape NAME=SHAPE] [--dtype NAME=DTYPE] [--entry NAME.FIELD=JSON] [--header TEXT] [--header-length N]
#       [--cut N] [--append N] [--flip OFFSET.BIT] [--remove FILE] [--rename OLD=NEW] [--write FILE=TEXT]
# KEY may be a path: rope_scaling.factor. SHAPE is 8x64; the tensor keeps its bytes, a new one is zeros of BF16.
# --fill repeats an element's bytes over a tensor. --cut takes bytes from the end of model.safetensors, or with a positive number keeps that many.
import argparse
import json
import pathlib
import shutil
import struct

OPERATIONS = ["set", "drop", "drop-tensor", "add-tensor", "fill", "reshape", "dtype", "entry", "header", "header-length", "cut",
              "append", "flip", "remove", "rename", "write"]


def read_weights(file):
    data = file.read_bytes()
    length = struct.unpack_from("<Q", data)[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def write_weights(file, header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def shape_of(text):
    return [int(dim) for dim in text.split("x")] if text else []


def edit_config(file, path, value, drop):
    config = json.loads(file.read_text())
    at = config
    *outer, last = path.split(".")
    for key in outer:
        at = at.setdefault(key, {})
    if drop:
        del at[last]
    else:
        at[last] = value
    file.write_text(json.dumps(config, indent=1))


def edit_tensors(file, operation, name, value):
    header, data = read_weights(file)
    if operation == "drop-tensor":
        # The bytes go with it: no hole is left.
        begin, end = header.pop(name)["data_offsets"]
        data = data[:begin] + data[end:]
        for entry in header.values():
            if "data_offsets" in entry and entry["data_offsets"][0] >= end:
                entry["data_offsets"] = [offset - (end - begin) for offset in entry["data_offsets"]]
    elif operation == "add-tensor":
        size = 2
        for dim in shape_of(value):
            size *= dim
        header[name] = {"dtype": "BF16", "shape": shape_of(value), "data_offsets": [len(data), len(data) + size]}
        data += bytes(size)
    elif operation == "fill":
        (begin, end), element = header[name]["data_offsets"], bytes.fromhex(value)
        data = data[:begin] + element * ((end - begin) // len(element)) + data[end:]
    elif operation == "reshape":
        header[name]["shape"] = shape_of(value)
    elif operation == "dtype":
        header[name]["dtype"] = value
    else:
        tensor, field = name.rsplit(".", 1)
        header[tensor][field] = json.loads(value)
    write_weights(file, header, data)


def apply(folder, operation, argument):
    weights, config = folder / "model.safetensors", folder / "config.json"
    name, _, value = argument.partition("=")
    if operation in ("set", "drop"):
        edit_config(config, name, json.loads(value) if operation == "set" else None, operation == "drop")
    elif operation in ("drop-tensor", "add-tensor", "fill", "reshape", "dtype", "entry"):
        edit_tensors(weights, operation, name, value)
    elif operation == "header":
        data = read_weights(weights)[1]
        weights.write_bytes(struct.pack("<Q", len(argument.encode())) + argument.encode() + data)
    elif operation == "header-length":
        weights.write_bytes(struct.pack("<Q", int(argument)) + weights.read_bytes()[8:])
    elif operation == "cut":
        weights.write_bytes(weights.read_bytes()[:int(argument)])
    elif operation == "append":
        weights.write_bytes(weights.read_bytes() + bytes(int(argument)))
    elif operation == "flip":
        offset, bit = argument.split(".")
        data = bytearray(weights.read_bytes())
        data[int(offset)] ^= 1 << int(bit)
        weights.write_bytes(data)
    elif operation == "remove":
        (folder / argument).unlink()
    elif operation == "rename":
        (folder / name).rename(folder / value)
    elif operation == "write":
        (folder / name).write_text(value)


class Then(argparse.Action):
    def __call__(self, parser, namespace, values, option=None):
        namespace.steps.append((self.dest, values))


def main():
    parser = argparse.ArgumentParser(description="makes a damaged copy of a checkpoint")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    for operation in OPERATIONS:
        parser.add_argument("--" + operation, dest=operation, action=Then)
    parser.set_defaults(steps=[])
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    for file in args.model.iterdir():
        if file.name != "golden.json" and file.suffix != ".f32":
            shutil.copyfile(file, args.out / file.name)
    for operation, argument in args.steps:
        apply(args.out, operation, argument)


if __name__ == "__main__":
    main()

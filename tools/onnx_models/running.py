# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles and runs ONNX files with the programs of a build folder."""
import os
import subprocess
import tempfile

import numpy as np
import onnx

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "bin")


def compile_model(path, engine, options=()):
    """Returns "" or what the compiler said."""
    done = subprocess.run([os.path.join(BIN, "ingot"), "compile", path, "-o", engine, "--quiet", *options], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def infer(engine, feeds, outputs):
    """Returns the outputs and "", or None and what the program said."""
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.join(BIN, "ingot-run"), "infer", engine]
        for number, (name, value) in enumerate(feeds.items()):
            np.save(f"{folder}/in{number}.npy", value)
            command += ["--input", f"{name}={folder}/in{number}.npy"]
        for number, name in enumerate(outputs):
            command += ["--output", f"{name}={folder}/out{number}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return None, done.stderr
        return [np.load(f"{folder}/out{number}.npy") for number in range(len(outputs))], ""


def products_of(engine):
    """In which types products are computed, as the engine tells it."""
    done = subprocess.run([os.path.join(BIN, "ingot"), "inspect", engine], capture_output=True, text=True, check=True)
    return next((line.split(None, 2)[2] for line in done.stdout.splitlines() if line.startswith("products")), "")


def outputs_of(path):
    return [output.name for output in onnx.load(path, load_external_data=False).graph.output]

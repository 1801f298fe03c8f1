# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Everything before a measurement: the virtual environment and its packages, the random checkpoints, and each engine's
# own form of them. What is done leaves a JSON file behind and is not done again; what failed leaves its error.
import datetime
import json
import os
import pathlib
import shutil
import sys

from processes import ROOT, Failure, Process, told

PRECISIONS = ("bf16", "f16", "int8", "int8-g32", "int4")
# Contexts hold the longest prompt that is measured.
SHAPES = {"1b": ("llama-3.2-1b", []), "15m": ("15m", ["--context", "1024"])}
INGOT_OPTIONS = {"bf16": [], "f16": ["--weights=f16"], "int8": ["--weights=int8"], "int8-g32": ["--weights=int8:g32"], "int4": ["--weights=int4:g128"]}
# Whose 8-bit weights have scales for groups of 32, whatever is asked for: one conversion is measured beside both of Ingot's forms.
GROUPED = ("llama_cpp", "onnxruntime")
# What pip installs for each rival, and what of it only conversion needs in a version of its own (a folder in front of
# the environment's: optimum-intel and the model builder of ONNX Runtime want different transformers).
RIVALS = {
    "llama_cpp": (["llama-cpp-python", "gguf"], []),
    "openvino": (["openvino", "openvino-genai", "openvino-tokenizers", "torch", "transformers", "optimum-intel", "nncf"], []),
    "onnxruntime": (["onnxruntime-genai", "onnx", "onnx_ir", "torch"], ["transformers"]),
    "torch": (["torch", "transformers"], []),
}
ENGINES = ("ingot", *RIVALS)


def clang():
    """llama.cpp is built by clang: gcc 12 miscompiles those who load the configuration of AMX tiles."""
    for version in ("-22", ""):
        if shutil.which(f"clang++{version}"):
            return {"CC": f"clang{version}", "CXX": f"clang++{version}"}
    return {}


def write(path, /, **facts):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n")
    return facts


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def install(args, rival):
    """Versions of what the rival runs on, or its error."""
    done = args.dir / "installed" / f"{rival}.json"
    known = read(done)
    if known and not (args.again and "error" in known):
        return known
    python = args.dir / "venv/bin/python"
    packages, overlay = RIVALS[rival]
    try:
        if not python.exists():
            told("making the virtual environment")
            Process([sys.executable, "-m", "venv", args.dir / "venv"])
            Process([python, "-m", "pip", "install", "--upgrade", "pip"])
        told(f"{rival}: installing {', '.join(packages)}")
        environment = dict(clang(), CMAKE_ARGS="-DGGML_NATIVE=ON -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF")
        Process([python, "-m", "pip", "install", *packages], environment=environment)
        if overlay:
            Process([python, "-m", "pip", "install", "--upgrade", "--target", args.dir / "overlay" / rival, *overlay])
        listed = json.loads(Process([python, "-m", "pip", "list", "--format=json"]).out)
        versions = {one["name"].lower().replace("_", "-"): one["version"] for one in listed}
        return write(done, versions={name: versions.get(name.replace("_", "-"), "?") for name in packages})
    except Failure as failure:
        told(f"{rival}: pip: {failure}")
        return write(done, error=f"pip: {failure}")


def checkpoint(args, shape):
    name, options = SHAPES[shape]
    folder = args.dir / "models" / shape
    mark = folder / "made.json"
    if not mark.exists():
        told(f"making the checkpoint {shape}")
        shutil.rmtree(folder, ignore_errors=True)
        Process([ROOT / "tools/make-checkpoint", "--shape", name, *options, "-o", folder])
        write(mark, shape=name, options=options)
    return folder


def folder_bytes(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


def convert(args, rival, shape, precision):
    """Facts of one conversion: path, seconds, peak, weight_bytes, file_bytes, when; or error."""
    out = args.dir / "rivals" / rival / f"{shape}-{precision}"
    done = out.with_suffix(".json")
    known = read(done)
    if known and not args.again:
        return known
    shutil.rmtree(out, ignore_errors=True)
    told(f"{rival}: converting {shape} to {precision}")
    try:
        model = checkpoint(args, shape)
        ran = Process([args.dir / "venv/bin/python", pathlib.Path(__file__).parent / f"rival_{rival}.py", "prepare", model, out, precision],
                      timeout=1800, environment={"PYTHONPATH": str(args.dir / "overlay" / rival)})
        facts = json.loads(ran.out.splitlines()[-1])
        return write(done, path=str(out), seconds=ran.seconds, peak=ran.peak, file_bytes=folder_bytes(out),
                     load=os.getloadavg()[0], date=datetime.date.today().isoformat(), **facts)
    except Failure as failure:
        told(f"{rival}: {shape} {precision}: {failure}")
        shutil.rmtree(out, ignore_errors=True)
        return write(done, error=str(failure))


def compile_ingot(args, shape, precision):
    """As convert, for Ingot: compiled whenever the compiler is another one. `ingot-run bench` tells the weights' bytes."""
    out = args.dir / "ingot" / f"{shape}-{precision}.ingot"
    done = out.with_suffix(".json")
    stat = args.ingot.stat()
    compiler = f"{args.ingot.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    known = read(done)
    if known and known.get("compiler") == compiler and out.exists() and not args.again:
        return known
    told(f"ingot: compiling {shape} to {precision}")
    model = checkpoint(args, shape)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        ran = Process([args.ingot, "compile", model, "-o", out, "--quiet", *INGOT_OPTIONS[precision]])
        return write(done, path=str(out), seconds=ran.seconds, peak=ran.peak, file_bytes=out.stat().st_size, compiler=compiler,
                     load=os.getloadavg()[0], date=datetime.date.today().isoformat())
    except Failure as failure:
        told(f"ingot: {shape} {precision}: {failure}")
        return write(done, error=str(failure), compiler=compiler)


def prepare(args):
    """{(engine, shape, precision): facts}, and under "versions" those of the rivals."""
    prepared = {"versions": {}}
    for engine in args.engines:
        installed = install(args, engine) if engine != "ingot" else {"versions": {}}
        prepared["versions"][engine] = installed
        for shape in args.shapes:
            for precision in args.precisions:
                if engine == "ingot":
                    facts = compile_ingot(args, shape, precision)
                elif "error" in installed:
                    facts = installed
                else:
                    facts = convert(args, engine, shape, "int8" if precision == "int8-g32" and engine in GROUPED else precision)
                prepared[engine, shape, precision] = facts
    return prepared

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes docs/spec/onnx-operators.md from the importer's tables and the results that tools/onnx-backend-test keeps."""
import collections
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

OPENING = """# Operators of ONNX

Written by `tools/onnx-backend-test --table docs/spec/onnx-operators.md`; onnx {version}. An operator's versions are those of the operator
set in which its import changes: it holds from each of them to the next. Tests are the backend tests that the package `onnx` carries;
*with constants* says how many of those that pass do so with inputs made constants of the model that shapes follow from (a reshape's shape, pads,
axes), as exporters write them: Ingot wants these known while it compiles.

{summary}
"""


# What a message does not tell, by test.
KNOWN = {
    "attention_4d_causal_fp16_expanded": "four elements are one step of f16 away: the reference rounds each step of its softmax to f16, Ingot computes from product to "
                                         "product in f32 and rounds once; in both the expected number is farther from the exact one than Ingot's",
}


def registered():
    """{(domain, operator): versions} of the importer's tables."""
    found = collections.defaultdict(list)
    for path in glob.glob(os.path.join(ROOT, "compiler", "import", "onnx", "ops", "*.cpp")):
        with open(path) as file:
            text = file.read().replace("{kDomain,", '{"com.microsoft",')
            for domain, name, since in re.findall(r'\{"([\w.]*)", "(\w+)", (\d+), ', text):
                found[domain, name].append(int(since))
    return {key: sorted(versions) for key, versions in found.items()}


def reason(message):
    """A message without what belongs to one test alone."""
    message = re.sub(r"^error: \S+ cannot be compiled: \d+ problems? - ", "", message)
    message = message.split(" - node ")[0]
    message = re.sub(r"^node '[^']*' ", "", message)
    message = re.sub(r"^(compile|run): (\[\d/4\] [^()]*\([\d.]+ s\) )*", "", message)
    return message.replace("|", "\\|")[:240].strip()


def write_page(path, results):
    import onnx  # noqa: PLC0415
    by_part = collections.defaultdict(collections.Counter)
    by_operator = collections.defaultdict(collections.Counter)
    failures = collections.defaultdict(list)
    for key, result in results.items():
        part, name = key.split("/", 1)
        by_part[part][result["state"]] += 1
        if part == "node":
            by_operator[result["operator"]][result["state"]] += 1
        if result["state"] not in ("passed", "passed with constants", "out of scope"):
            short = name.removeprefix("test_")
            failures[result["operator"], result["state"], KNOWN.get(short) or reason(result["message"])].append(short)
    summary = ["| tests | in scope | pass | of these with constants | refused | wrong | fail or crash | out of scope |",
               "|---|---|---|---|---|---|---|---|"]
    for part, counts in sorted(by_part.items()):
        scope = sum(counts.values()) - counts["out of scope"]
        passed = counts["passed"] + counts["passed with constants"]
        share = f" ({100 * passed / scope:.1f} %)" if scope else ""
        summary.append(f"| {part} | {scope} | {passed}{share} | {counts['passed with constants']} | {counts['refused']} | {counts['wrong']} | "
                       f"{counts['failed'] + counts['crashed']} | {counts['out of scope']} |")
    summary += ["", "Out of scope are tests of training, ai.onnx.ml, sequences, strings, Loop, Scan, recurrent and Fourier operators."]
    lines = [OPENING.format(version=onnx.__version__, summary="\n".join(summary)), "## What is supported", "",
             "| operator | from version | node tests that pass |", "|---|---|---|"]
    for (domain, name), versions in sorted(registered().items()):
        counts = by_operator.get(name, collections.Counter()) if domain != "com.microsoft" else collections.Counter()
        scope = sum(counts.values()) - counts["out of scope"]
        passed = counts["passed"] + counts["passed with constants"]
        of = f"{passed} of {scope}" if scope else ""
        if counts["passed with constants"]:
            of += f", {counts['passed with constants']} with constants"
        lines.append(f"| {domain + '.' if domain else ''}{name} | {', '.join(map(str, versions))} | {of} |")
    lines += ["", "## What does not pass, and why", "", "| operator | tests | outcome | reason |", "|---|---|---|---|"]
    for (operator, state, why), names in sorted(failures.items()):
        shown = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        lines.append(f"| {operator} | {shown} | {state} | {why} |")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")

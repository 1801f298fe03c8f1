# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The test decoder in Python, without cache, pages or schedule: what its text and logits must be.
MASK = (1 << 64) - 1
VOCABULARY = 97


def mix(h, v):
    h ^= ((v & MASK) + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2)) & MASK
    h = (h * 0xbf58476d1ce4e5b9) & MASK
    return h ^ (h >> 29)


def digest(ids):
    h = 1
    for position, id in enumerate(ids):
        h = mix(mix(h, position), id)
    return h


def logits(ids):
    """float rows, one per position"""
    rows = []
    for n in range(1, len(ids) + 1):
        h = digest(ids[:n])
        rows.append([float(i < 64 and h >> i & 1) for i in range(VOCABULARY)])
    return rows


def generate(prompt, count, temperature=0.0, seed=0, repetition=False):
    ids, drawn = list(prompt), []
    for counter in range(count):
        h = digest(ids)
        if temperature > 0:
            h = mix(mix(h, seed), counter)
        if repetition:
            for id in sorted(set(ids)):
                h = mix(mix(h, id), drawn.count(id))
        drawn.append(h % VOCABULARY)
        ids.append(drawn[-1])
    return drawn

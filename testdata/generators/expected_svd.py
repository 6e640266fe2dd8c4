"""Expected values of the archive golden-svd: singular values and best errors of made-up matrices.

python expected_svd.py [--write] CASE.json ...

Without --write, prints how far the values in each file are from those computed now. A new case is a file with
name, seed, n, d, r0, decay, noise, ranks, row_errors_rank and row_error_rows.
"""
import json
import sys

import numpy as np


def unit(seed, rows, columns):
    """Numbers from -1 to 1: splitmix64 of seed and index, the upper 24 bits."""
    with np.errstate(over="ignore"):
        i = np.arange(1, rows * columns + 1, dtype=np.uint64)
        z = np.uint64(seed) + i * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2**24 * 2 - 1).reshape(rows, columns)


def matrix(case):
    n, d, r0, seed = case["n"], case["d"], case["r0"], case["seed"]
    scale = (1 / (1 + np.arange(r0))) ** case["decay"]
    low = (unit(seed + 31, n, r0) * scale) @ unit(seed + 32, r0, d)
    return (low + case["noise"] * unit(seed + 33, n, d)).astype(np.float32)


def expected(case):
    m = matrix(case)
    u, s, vt = np.linalg.svd(m.astype(np.float64), full_matrices=False)
    norm = float(np.linalg.norm(m.astype(np.float64)))
    best = {}
    for rank in case["ranks"]:
        error = float(np.sqrt((s[rank:] ** 2).sum()))
        gap = float(s[rank - 1] - s[rank]) if rank < len(s) else float(s[rank - 1])
        best[str(rank)] = {"frobenius": error, "relative": error / norm, "gap_s_k_minus_s_k1": gap}
    rank, rows = case["row_errors_rank"], case["row_error_rows"]
    rest = u[rows, rank:] * s[rank:] @ vt[rank:]
    return {
        "first_row_first8": m[0, :8].tolist(),
        "last_row_last4": m[-1, -4:].tolist(),
        "sum_float64": float(m.astype(np.float64).sum()),
        "frobenius_norm": norm,
        "singular_values_top160": s[:160].tolist(),
        "smallest_singular_value": float(s[-1]),
        "best_rank_error": best,
        "row_errors": np.linalg.norm(rest, axis=1).tolist(),
    }


def numbers(value):
    """All numbers in a value, in order."""
    if isinstance(value, dict):
        return [x for key in sorted(value) for x in numbers(value[key])]
    if isinstance(value, list):
        return [x for item in value for x in numbers(item)]
    return [value]


arguments = sys.argv[1:]
writes = "--write" in arguments
for path in (a for a in arguments if a != "--write"):
    with open(path) as file:
        case = json.load(file)
    values = expected(case)
    if writes:
        with open(path, "w") as file:
            json.dump(case | values, file, indent=1)
    else:
        for name, value in values.items():
            difference = np.abs(np.array(numbers(value)) - np.array(numbers(case[name]))).max()
            print(f"{case['name']} {name}: {difference:.3g} apart")

#!/usr/bin/env python3
"""Makes tests/it/goldens/comparison.json: what scipy, statsmodels and numpy say of intervals, tests,
corrections and power. Run with scipy >= 1.11 and statsmodels; prints the versions it used.

Bootstrap distributions are full enumerations of all n^n resamples of tiny samples, and randomisation
tests run over all 2^n sign patterns, so that nothing here depends on chance.
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from scipy.stats._resampling import BootstrapResult
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower, TTestPower

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/it/goldens/comparison.json"


def ratio(n, d, axis=-1):
    return np.sum(n, axis=axis) / np.sum(d, axis=axis)


def intervals():
    cases = []
    samples = [
        ([0.0, 0.25, 0.5, 1.0], [1.0, 1.0, 1.0, 1.0]),
        ([0.125, 0.5, 0.625, 2.0, 4.5], [1.0, 1.0, 1.0, 1.0, 1.0]),
        ([3.0, 1.0, 7.0, 2.0, 0.5], [4.0, 1.0, 8.0, 3.0, 2.0]),
        ([-0.5, 0.25, 0.75, -0.125, 1.5], [1.0, 2.0, 1.0, 3.0, 2.0]),
    ]
    for n, d in samples:
        n, d = np.array(n), np.array(d)
        picks = np.array(list(itertools.product(range(len(n)), repeat=len(n))))
        values = ratio(n[picks], d[picks])
        known = BootstrapResult(None, values, None)
        for method in ("percentile", "BCa"):
            for level in (0.8, 0.9, 0.95):
                found = stats.bootstrap(
                    (n, d), ratio, n_resamples=0, paired=True, vectorized=True,
                    confidence_level=level, method=method, bootstrap_result=known,
                ).confidence_interval
                cases.append({
                    "numerator": n.tolist(), "denominator": d.tolist(), "method": method.lower(),
                    "level": level, "lower": float(found.low), "upper": float(found.high),
                })
    return cases


def randomisation():
    rng = np.random.default_rng(7)
    cases = []
    for size in (1, 2, 5, 8, 12):
        a, b = rng.integers(0, 9, size) / 8, rng.integers(0, 9, size) / 8
        found = stats.permutation_test(
            (b, a), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples",
            n_resamples=np.inf, vectorized=True, alternative="two-sided",
        ) if size > 1 else None
        p = float(found.pvalue) if found else 1.0
        cases.append({"a": a.tolist(), "b": b.tolist(), "p": p})
    return cases


def main():
    p = [0.001, 0.02, 0.04, 0.011, 0.3, 0.04, 0.9]
    power = []
    for effect, n in [(0.1, 30), (0.2, 200), (0.05, 3000), (0.5, 12), (0.0, 50), (1.1, 8), (0.9, 3), (2.0, 2)]:
        power.append({
            "effect": effect, "n": n,
            "power": float(NormalIndPower(ddof=0).power(effect, n, 0.05, ratio=0)),
            "t_power": float(TTestPower().power(effect, n, 0.05)),
        })
    detectable = []
    for n in (30, 300, 3000, 8, 3):
        detectable.append({
            "n": n,
            "effect": float(NormalIndPower(ddof=0).solve_power(None, n, 0.05, 0.8, ratio=0)),
            "t_effect": float(TTestPower().solve_power(None, n, 0.05, 0.8)),
        })
    golden = {
        "made_by": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__},
        "intervals": intervals(),
        "randomisation": randomisation(),
        "holm": {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()},
        "power": power,
        "detectable": detectable,
    }
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    print(golden["made_by"], file=sys.stderr)


if __name__ == "__main__":
    main()

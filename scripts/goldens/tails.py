#!/usr/bin/env python3
"""Prints the reference values of src/analysis/stats/tails.rs: scipy's Student t and Pearson III."""
from scipy import stats

print("student: t, freedom, two-sided p")
for t, nu in [(0.3, 1), (2.0, 2), (2.5, 9.5), (4.0, 30), (8.0, 5), (12.0, 400), (1.0, 1e6)]:
    print(f"({t}, {nu}, {2 * stats.t.sf(t, nu):.17e}),")
print("pearson3: z, skewness, two-sided p")
for z, skew in [(1.0, 0.5), (-1.5, 0.5), (3.0, 1.29), (6.0, 1.29), (4.0, -0.3), (2.0, 0.01), (5.0, 0.005), (0.1, 2.5)]:
    p = min(1.0, 2 * min(stats.pearson3.sf(z, skew), stats.pearson3.cdf(z, skew)))
    print(f"({z}, {skew}, {p:.17e}),")

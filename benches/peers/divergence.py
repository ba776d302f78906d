#!/usr/bin/env python3
"""DivExplorer over one Parquet file: seconds, and what it found first. Part of benches/slices.rs.

Not called after the package: the folder of a script is searched first for what it imports.
"""
import functools
import sys
import time

import pandas as pd
from divexplorer import DivergenceExplorer

SUPPORT = 0.01

frame = pd.read_parquet(sys.argv[1])
attributes = [name for name in frame.columns if name.startswith("c") and name != "clicked"]
frame["clicked"] = frame["clicked"].astype(int)
began = time.perf_counter()
explorer = DivergenceExplorer(frame)
# Its own entry does not pass a depth on; what it calls takes one.
mining = sys.modules[DivergenceExplorer.__module__]
mining.fpgrowth_cm = functools.partial(mining.fpgrowth_cm, max_len=3)
found = explorer.get_pattern_divergence(
    min_support=SUPPORT, attributes=attributes, quantitative_outcomes=["clicked"]
)
seconds = time.perf_counter() - began
found = found.sort_values("clicked_t", ascending=False)
first = sorted(found.iloc[0]["itemset"])
print(f"{seconds:.2f} s at support {SUPPORT} for {len(found)} slices; no adjustment, pruning or held-out half; first by t: {first}")

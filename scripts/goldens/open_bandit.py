#!/usr/bin/env python3
"""Off-policy values on the Open Bandit logs, in numpy, with the formulas of obp's estimators.

Run:  pip install numpy pyarrow && python3 scripts/goldens/open_bandit.py ../shared/data/open-bandit
Writes tests/it/goldens/open_bandit.json: per campaign and direction the value that one policy would
have had, from the other's log (InverseProbabilityWeighting, SelfNormalized..., DoublyRobust of obp 0.5),
and the click rate that it really had.
"""
import json
import sys

import numpy as np
import pyarrow.parquet as pq

SMOOTH = 100.0


def load(path):
    table = pq.read_table(path, columns=["behavior_policy", "item_id", "position", "click", "propensity_score"])
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def policy_of(log, uniform):
    """Probability of each (item, position). The uniform policy's is known. Thompson sampling changes over
    time, so that the mean of its logged propensities is not a distribution (items are logged when they are
    likely: it sums to 2); its average policy is how often it showed what."""
    shown, propensity, places = {}, {}, {}
    for item, position, p in zip(log["item_id"], log["position"], log["propensity_score"]):
        shown[item, position] = shown.get((item, position), 0) + 1
        propensity[item, position] = p
        places[position] = places.get(position, 0) + 1
    if uniform:
        return propensity
    return {(item, position): n / places[position] for (item, position), n in shown.items()}


def q_of(log):
    """Click rate per (item, position), pulled towards that of the whole log."""
    mean = log["click"].mean()
    sums = {}
    for item, position, click in zip(log["item_id"], log["position"], log["click"]):
        total, n = sums.get((item, position), (0.0, 0))
        sums[item, position] = (total + click, n + 1)
    rates = {key: (total + SMOOTH * mean) / (n + SMOOTH) for key, (total, n) in sums.items()}
    return rates, mean


def estimate(log, other, uniform):
    target = policy_of(other, uniform)
    rates, mean = q_of(log)
    keys = list(zip(log["item_id"], log["position"]))
    p_target = np.array([target.get(key, 0.0) for key in keys])
    weight = p_target / log["propensity_score"]
    reward = log["click"].astype(float)
    q = np.array([rates[key] for key in keys])
    expected = {}
    for (item, position), p in target.items():
        expected[position] = expected.get(position, 0.0) + p * rates.get((item, position), mean)
    q_target = np.array([expected[position] for position in log["position"]])
    return {
        "rows": len(reward),
        "ips": float(np.mean(weight * reward)),
        "snips": float(np.sum(weight * reward) / np.sum(weight)),
        "dr": float(np.mean(q_target + weight * (reward - q))),
        "ess": float(np.sum(weight) ** 2 / np.sum(weight**2)),
        "weight_mean": float(np.mean(weight)),
        "weight_max": float(np.max(weight)),
        "ips_clip_5": float(np.mean(np.minimum(weight, 5.0) * reward)),
        "on_policy": float(other["click"].mean()),
        "on_policy_rows": len(other["click"]),
    }


def main(folder):
    golden = {}
    for campaign in ["men", "women"]:
        all_rows = load(f"{folder}/obd_{campaign}.parquet")
        logs = {
            name: {key: column[all_rows["behavior_policy"] == name] for key, column in all_rows.items()}
            for name in ["random", "bts"]
        }
        golden[campaign] = {
            "bts_from_random": estimate(logs["random"], logs["bts"], False),
            "random_from_bts": estimate(logs["bts"], logs["random"], True),
        }
    with open("tests/it/goldens/open_bandit.json", "w") as out:
        json.dump(golden, out, indent=1)
        out.write("\n")
    print(json.dumps(golden, indent=1))


main(sys.argv[1])

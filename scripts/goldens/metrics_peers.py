#!/usr/bin/env python3
"""Values of peer libraries on small random tables, for `recscope verify` and its tests.

    pip install pytrec_eval-terrier ir_measures ranx scikit-learn scipy rbo pandas
    python scripts/goldens/metrics_peers.py > fixtures/goldens/metrics_peers.json

Scores are distinct where a library's order of ties is not stated. Formulas of RecBole are copied from
its evaluator/metrics.py (binary gains, AP over min(R, k)); the package itself pins an old torch.
"""

import json
import math
import random

import ir_measures
import numpy as np
import pytrec_eval
import rbo
import ranx
import scipy.stats
import sklearn.metrics

random.seed(20261125)
CASES = []


def case(name, convention, header, rows, values, per_query=None, relevant_at=1.0, tolerance=1e-9):
    cell = lambda value: "" if value is None else repr(value) if isinstance(value, float) else str(value)
    text = ",".join(header) + "\n" + "".join(",".join(map(cell, row)) + "\n" for row in rows)
    clean = lambda v: None if v is None or not math.isfinite(v) else float(v)
    CASES.append({
        "name": name, "convention": convention, "relevant_at": relevant_at, "tolerance": tolerance,
        "rows": text, "values": {k: clean(v) for k, v in values.items()},
        "per_query": {m: {q: clean(v) for q, v in qs.items()} for m, qs in (per_query or {}).items()},
    })


def judged(queries, documents, grades, missing=0.2):
    """Rows of query, item, score, gain: some not retrieved, some not judged; scores distinct."""
    rows = []
    for q in range(queries):
        scores = random.sample(range(1000), documents)
        for d in range(documents):
            score = None if random.random() < missing else float(scores[d])
            gain = random.choice(grades)
            if score is None and gain is None:
                gain = 0
            rows.append((f"q{q:02}", f"d{d:02}", score, gain))
    return rows


def split(rows):
    run, qrels = {}, {}
    for q, d, score, gain in rows:
        run.setdefault(q, {})
        qrels.setdefault(q, {})
        if score is not None:
            run[q][d] = score
        if gain is not None:
            qrels[q][d] = int(gain)
    return run, qrels


HEADER = ["query", "item", "score", "gain"]


def trec():
    rows = judged(25, 14, [None, None, 0, 0, 0, 1, 2, 3])
    run, qrels = split(rows)
    names = {
        "map": "map", "Rprec": "rprec", "bpref": "bpref", "recip_rank": "mrr", "P_5": "precision@5",
        "recall_5": "recall@5", "ndcg": "ndcg", "ndcg_cut_5": "ndcg@5", "map_cut_5": "map@5",
        "success_1": "hit@1", "11pt_avg": "iprec11", "num_rel_ret": "hits", "infAP": "infap",
    }
    found = pytrec_eval.RelevanceEvaluator(qrels, pytrec_eval.supported_measures).evaluate(run)
    per_query = {ours: {q: found[q][theirs] for q in found} for theirs, ours in names.items()}
    values = {m: float(np.mean(list(v.values()))) for m, v in per_query.items()}
    values["gmap"] = math.exp(np.mean([math.log(max(found[q]["map"], 1e-5)) for q in found]))
    case("pytrec_eval on random judgments", "trec", HEADER, rows, values, per_query)
    # A pool of which a sample is judged: -1 was pooled and not judged.
    rows = judged(25, 14, [None, -1, -1, 0, 0, 1])
    run, qrels = split(rows)
    found = pytrec_eval.RelevanceEvaluator(qrels, {"infAP", "map", "bpref"}).evaluate(run)
    per_query = {"infap": {q: found[q]["infAP"] for q in found}}
    case("pytrec_eval infAP on a sampled pool", "trec", HEADER, rows,
         {"infap": float(np.mean(list(per_query["infap"].values())))}, per_query)


def irm():
    rows = judged(25, 14, [None, None, 0, 0, 1, 2, 3])
    run, qrels = split(rows)
    names = {
        "Judged@5": "judged@5", "RBP(p=0.8)": "rbp", "AP@5": "map@5", "P@5": "precision@5",
        "R@5": "recall@5", "nDCG@5": "ndcg@5", "RR": "mrr", "Success@1": "hit@1",
    }
    per_query = {}
    for theirs, ours in names.items():
        measure = ir_measures.parse_measure(theirs)
        per_query[ours] = {m.query_id: m.value for m in ir_measures.iter_calc([measure], qrels, run)}
    values = {m: float(np.mean(list(v.values()))) for m, v in per_query.items()}
    case("ir_measures on random judgments", "ir_measures", HEADER, rows, values, per_query)


def ranx_case():
    rows = judged(25, 14, [None, 0, 0, 1, 2, 3])
    run, qrels = split(rows)
    names = {
        "hits@5": "hits@5", "hit_rate@5": "hit@5", "precision@5": "precision@5", "recall@5": "recall@5",
        "r-precision": "rprec", "mrr": "mrr", "map": "map", "map@5": "map@5",
        "dcg@5": "dcg@5", "dcg_burges@5": "dcg_exp@5", "ndcg@5": "ndcg@5", "ndcg_burges@5": "ndcg_exp@5"
        # Not rbp: ranx multiplies by the grade, so that its values go beyond 1.

    }
    per_query = {}
    left, right = ranx.Qrels(qrels), ranx.Run(run)
    asked = list(names)
    ranx.evaluate(left, right, asked, make_comparable=True)
    for theirs in asked:
        per_query[names[theirs]] = {q: float(right.scores[theirs][q]) for q in qrels}
    values = {m: float(np.mean(list(v.values()))) for m, v in per_query.items()}
    case("ranx on random judgments", "ranx", HEADER, rows, values, per_query)


def recbole():
    """RecBole's formulas over its matrix of hits (pos_index) and counts (pos_len)."""
    rows = judged(25, 14, [0, 0, 0, 1, 1], missing=0.0)
    run, qrels = split(rows)
    k, per_query = 5, {m: {} for m in ("map@5", "ndcg@5", "mrr@5", "hit@5", "recall@5", "precision@5")}
    for q in run:
        order = sorted(run[q], key=lambda d: -run[q][d])[:k]
        pos = np.array([qrels[q][d] > 0 for d in order])
        pos_len = sum(g > 0 for g in qrels[q].values())
        if pos_len == 0:
            continue
        pre = pos.cumsum() / np.arange(1, k + 1)
        per_query["map@5"][q] = (pre * pos).sum() / min(pos_len, k)
        discount = 1.0 / np.log2(np.arange(1, k + 1) + 1)
        per_query["ndcg@5"][q] = (discount * pos).sum() / discount[: min(pos_len, k)].sum()
        per_query["mrr@5"][q] = 1.0 / (pos.argmax() + 1) if pos.any() else 0.0
        per_query["hit@5"][q] = float(pos.any())
        per_query["recall@5"][q] = pos.sum() / pos_len
        per_query["precision@5"][q] = pos.sum() / k
    values = {m: float(np.mean(list(v.values()))) for m, v in per_query.items() if "ecision" not in m}
    # Precision and hit exist without anything relevant; RecBole has no such users.
    for m in ("mrr@5", "hit@5", "precision@5"):
        if len(per_query[m]) != len(run):
            values.pop(m, None)
    case("RecBole's formulas on random judgments", "recbole", HEADER, rows, values, per_query)


def expected_ties():
    """Every order of the ties of each query, by enumeration of all of them."""
    import itertools
    rows, per_query = [], {m: {} for m in ("precision@3", "recall@3", "hit@3", "mrr", "map", "ndcg@3")}
    for number in range(8):
        q = f"q{number}"
        items = [(f"d{i}", float(random.randrange(3)), random.choice([0, 0, 1, 2])) for i in range(6)]
        if not any(g for _, _, g in items):
            items[0] = ("d0", items[0][1], 1)
        rows += [(q, d, s, g) for d, s, g in items]
        orders = [o for o in itertools.permutations(items) if all(a[1] >= b[1] for a, b in zip(o, o[1:]))]
        total = sum(g > 0 for _, _, g in items)
        ideal = sum(g / math.log2(r + 2) for r, g in enumerate(sorted((g for *_, g in items), reverse=True)[:3]))
        mean = lambda f: float(np.mean([f([g for *_, g in o]) for o in orders]))
        ap = lambda o: sum((sum(x > 0 for x in o[: r + 1]) / (r + 1)) for r, g in enumerate(o) if g > 0) / total
        per_query["precision@3"][q] = mean(lambda o: sum(g > 0 for g in o[:3]) / 3)
        per_query["recall@3"][q] = mean(lambda o: sum(g > 0 for g in o[:3]) / total)
        per_query["hit@3"][q] = mean(lambda o: float(any(o[:3])))
        per_query["mrr"][q] = mean(lambda o: next((1 / (r + 1) for r, g in enumerate(o) if g > 0), 0.0))
        per_query["map"][q] = mean(ap)
        per_query["ndcg@3"][q] = mean(lambda o: sum(g / math.log2(r + 2) for r, g in enumerate(o[:3])) / ideal)
    values = {m: float(np.mean(list(v.values()))) for m, v in per_query.items()}
    case("all orders of ties, enumerated", "expected", HEADER, rows, values, per_query)


def scores():
    rows = []
    for q in range(12):
        for _ in range(random.randrange(1, 12)):
            label = random.random() < 0.4
            p = min(1.0, max(0.0, round(random.gauss(0.55 if label else 0.4, 0.2), 2)))
            rows.append((f"q{q:02}", p, int(label)))
    y, p = np.array([r[2] for r in rows]), np.array([r[1] for r in rows])
    values = {
        "auc": sklearn.metrics.roc_auc_score(y, p), "ap": sklearn.metrics.average_precision_score(y, p),
        "log_loss": sklearn.metrics.log_loss(y, p), "brier": sklearn.metrics.brier_score_loss(y, p),
        "f1": sklearn.metrics.f1_score(y, p >= 0.5), "accuracy": sklearn.metrics.accuracy_score(y, p >= 0.5),
    }
    # GAUC as in DIN: AUC of each user with both classes, weighted by impressions.
    total, weight = 0.0, 0
    for q in sorted({r[0] for r in rows}):
        mask = np.array([r[0] == q for r in rows])
        if 0 < y[mask].sum() < mask.sum():
            total += sklearn.metrics.roc_auc_score(y[mask], p[mask]) * mask.sum()
            weight += mask.sum()
    values["gauc"] = total / weight
    bins = np.maximum(np.ceil(p * 15) - 1, 0).astype(int)
    for b in np.unique(bins)[:20]:
        inside = bins == b
        values[f"frequency@{b + 1}"] = y[inside].mean()
        values[f"confidence@{b + 1}"] = p[inside].mean()
        values[f"calibration@{b + 1}"] = abs(y[inside].mean() - p[inside].mean())
    values["ece"] = sum((bins == b).mean() * abs(y[bins == b].mean() - p[bins == b].mean()) for b in np.unique(bins))
    case("scikit-learn on random scores", "recscope", ["query", "score", "label"], rows, values)
    rows = [(round(random.gauss(3, 1), 2), float(random.randrange(1, 6))) for _ in range(50)]
    s, g = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    case("scikit-learn on random ratings", "recscope", ["score", "gain"], rows, {
        "mae": sklearn.metrics.mean_absolute_error(g, s), "rmse": math.sqrt(sklearn.metrics.mean_squared_error(g, s))})


def orders():
    rows, per_query = [], {"kendall": {}, "rbo": {}, "rbo@4": {}, "jaccard@4": {}}
    for number in range(15):
        q, n = f"q{number:02}", random.randrange(3, 12)
        a, b = random.sample(range(100), n), random.sample(range(100), n)
        found = []
        for i in range(n):
            x, y = float(a[i]), float(b[i])
            kind = random.random()
            if kind < 0.15:
                x = None
            elif kind < 0.3:
                y = None
            found.append((q, f"d{i:02}", x, y))
        rows += found
        both = [(x, y) for *_, x, y in found if x is not None and y is not None]
        tau = scipy.stats.kendalltau(*zip(*both)).statistic if len(both) > 1 else float("nan")
        per_query["kendall"][q] = tau
        first = [d for _, d, x, _ in sorted((r for r in found if r[2] is not None), key=lambda r: -r[2])]
        second = [d for _, d, _, y in sorted((r for r in found if r[3] is not None), key=lambda r: -r[3])]
        per_query["rbo"][q] = extrapolated(first, second)
        per_query["rbo@4"][q] = extrapolated(first[:4], second[:4])
        if len(first) == len(second) and first:
            theirs = rbo.RankingSimilarity(first, second).rbo_ext(p=0.9)
            assert abs(theirs - per_query["rbo"][q]) < 1e-9, (theirs, per_query["rbo"][q])
        s, t = set(first[:4]), set(second[:4])
        per_query["jaccard@4"][q] = len(s & t) / len(s | t)
    mean = lambda v: float(np.mean([x for x in v.values() if x == x]))
    case("scipy, rbo and sets on random orders", "recscope", ["query", "item", "score", "other"], rows,
         {m: mean(v) for m, v in per_query.items()}, per_query)


def extrapolated(a, b, p=0.9):
    """Webber, Moffat & Zobel 2010, equation 32, over sets."""
    short, long = sorted((a, b), key=len)
    s, l = len(short), len(long)
    if l == 0:
        return float("nan")
    overlap = lambda d: len(set(short[:d]) & set(long[:d]))
    x_s, x_l = overlap(s), overlap(l)
    total = sum(overlap(d) / d * p**d for d in range(1, l + 1))
    total += sum(x_s * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1)) if s else 0.0
    return (1 - p) / p * total + ((x_l - x_s) / l + (x_s / s if s else 0.0)) * p**l


def esci():
    rows, per_query = [], {"paper": {}, "script": {}}
    gains = {"paper": dict(E=1, S=0.1, C=0.01, I=0), "script": dict(E=1, S=0.01, C=0.1, I=0)}
    for number in range(12):
        q = f"q{number:02}"
        scores = random.sample(range(100), 8)
        labels = [random.choice("ESCI") for _ in range(8)]
        labels[0] = "E"
        rows += [(q, f"d{i}", float(scores[i]), labels[i]) for i in range(8)]
        for name, gain in gains.items():
            order = [gain[labels[i]] for i in sorted(range(8), key=lambda i: -scores[i])]
            per_query[name][q] = sklearn.metrics.ndcg_score([[gain[x] for x in labels]], [scores])
            del order
    for name in gains:
        case(f"scikit-learn ndcg_score on ESCI labels, {name}", f"esci-{name}", HEADER, rows,
             {"ndcg": float(np.mean(list(per_query[name].values())))}, {"ndcg": per_query[name]})


for make in (trec, irm, ranx_case, recbole, expected_ties, scores, orders, esci):
    make()
print(json.dumps({"made_by": "scripts/goldens/metrics_peers.py", "cases": CASES}, indent=1))

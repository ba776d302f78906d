"""One evaluation library on one Parquet file of judged rows: `peer.py NAME FILE VALUES`.

Prints JSON: {"seconds": file to numbers, "warm": true where compiling was left out, "parts": {...},
"rss": bytes, "version": ...}; writes every query's values to VALUES as JSON lines. The time is taken
inside the process, after the imports: a peer is not blamed for Python's start.
"""

import importlib.metadata
import json
import resource
import sys
import time

import pandas

MEASURES = {
    "ndcg@10": ("ndcg@10", "ndcg_cut_10"),
    "mrr": ("mrr", "recip_rank"),
    "map": ("map", "map"),
    "precision@10": ("precision@10", "P_10"),
    "recall@10": ("recall@10", "recall_10"),
}


def by_ranx(file: str, parts: dict) -> dict:
    from ranx import Qrels, Run, evaluate

    began = time.perf_counter()
    rows = pandas.read_parquet(file)
    rows["gain"] = rows["gain"].astype("int64")
    parts["read"] = time.perf_counter() - began
    began = time.perf_counter()
    qrels = Qrels.from_df(rows, q_id_col="query", doc_id_col="item", score_col="gain")
    run = Run.from_df(rows, q_id_col="query", doc_id_col="item", score_col="score")
    parts["structures"] = time.perf_counter() - began
    began = time.perf_counter()
    names = [ranx for ranx, _ in MEASURES.values()]
    evaluate(qrels, run, names)
    parts["metrics"] = time.perf_counter() - began
    scores = run.scores
    return {query: {ours: float(scores[ranx][query]) for ours, (ranx, _) in MEASURES.items()} for query in scores["mrr"]}


def by_pytrec_eval(file: str, parts: dict) -> dict:
    import pytrec_eval

    began = time.perf_counter()
    rows = pandas.read_parquet(file)
    parts["read"] = time.perf_counter() - began
    began = time.perf_counter()
    qrels: dict = {}
    run: dict = {}
    # Plain loops over lists: the fastest way measured to make the nested dictionaries it takes.
    for query, item, score, gain in zip(
        rows["query"].tolist(), rows["item"].tolist(), rows["score"].tolist(), rows["gain"].astype("int64").tolist()
    ):
        qrels.setdefault(query, {})[item] = gain
        run.setdefault(query, {})[item] = score
    parts["structures"] = time.perf_counter() - began
    began = time.perf_counter()
    wanted = {"ndcg_cut.10", "recip_rank", "map", "P.10", "recall.10"}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    parts["metrics"] = time.perf_counter() - began
    return {q: {ours: values[trec] for ours, (_, trec) in MEASURES.items()} for q, values in found.items()}


def by_pytrec_eval_text(file: str, parts: dict) -> dict:
    import pytrec_eval

    began = time.perf_counter()
    with open(file.replace(".run", ".qrels"), encoding="utf-8") as lines:
        qrels = pytrec_eval.parse_qrel(lines)
    with open(file, encoding="utf-8") as lines:
        run = pytrec_eval.parse_run(lines)
    parts["read"] = time.perf_counter() - began
    began = time.perf_counter()
    wanted = {"ndcg_cut.10", "recip_rank", "map", "P.10", "recall.10"}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    parts["metrics"] = time.perf_counter() - began
    return {q: {ours: values[trec] for ours, (_, trec) in MEASURES.items()} for q, values in found.items()}


PEERS = {
    "ranx": (by_ranx, "ranx"),
    "pytrec_eval": (by_pytrec_eval, "pytrec-eval-terrier"),
    "pytrec_eval_text": (by_pytrec_eval_text, "pytrec-eval-terrier"),
}


def main(name: str, file: str, values: str, warm_up: str) -> None:
    evaluate, package = PEERS[name]
    # numba compiles at the first call; a small file pays for it.
    evaluate(warm_up, {})
    parts: dict = {}
    began = time.perf_counter()
    found = evaluate(file, parts)
    seconds = time.perf_counter() - began
    with open(values, "w", encoding="utf-8") as out:
        json.dump(found, out)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    version = importlib.metadata.version(package)
    print(json.dumps({"seconds": seconds, "parts": parts, "rss": rss, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])

-- id: metrics/top
-- params: $k cut-off, $patience of rbp
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, shown DOUBLE, hits DOUBLE, dcg DOUBLE, dcg_exp DOUBLE, judged DOUBLE, residual DOUBLE
-- grain: one row per list; judged is NULL where nothing is shown
SELECT
    list,
    shown::DOUBLE AS shown,
    hits::DOUBLE AS hits,
    coalesce(dcg, 0) AS dcg,
    coalesce(dcg_exp, 0) AS dcg_exp,
    judged / nullif(shown, 0) AS judged,
    (1 - $patience) * coalesce(unknown, 0) + pow($patience, shown) AS residual
FROM (
    SELECT
        list,
        count(*) FILTER (rank <= $k) AS shown,
        count(*) FILTER (rank <= $k AND relevant) AS hits,
        count(*) FILTER (rank <= $k AND judged) AS judged,
        sum(gain / log2(rank + 1)) FILTER (rank <= $k) AS dcg,
        sum((pow(2, gain) - 1) / log2(rank + 1)) FILTER (rank <= $k) AS dcg_exp,
        sum(pow($patience, rank - 1)) FILTER (rank <= $k AND NOT judged) AS unknown
    FROM temp.recscope_ranked
    GROUP BY list
)

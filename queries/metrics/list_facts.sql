-- id: metrics/list_facts
-- params: {rows} recscope_rows or recscope_unique
-- reads: temp.recscope_ranked, temp.recscope_rows
-- returns: list UINTEGER, shown BIGINT, relevant BIGINT, unjudged BIGINT, tied BIGINT, close BIGINT, repeated BIGINT, broken BIGINT
-- grain: one row per list: why conventions may differ on it; close counts scores that only 64 bits tell apart, broken gains that are no whole number
WITH ranked AS (
    SELECT
        list,
        count(rank) AS shown,
        count(*) FILTER (relevant) AS relevant,
        count(*) FILTER (NOT judged AND rank IS NOT NULL) AS unjudged
    FROM temp.recscope_ranked
    GROUP BY list
),
scores AS (
    SELECT list, sum(n) FILTER (n > 1) AS tied, count(*) - count(DISTINCT TRY_CAST(score AS FLOAT)) AS close
    FROM (SELECT list, score, count(*) AS n FROM temp.{rows} WHERE shown GROUP BY list, score)
    GROUP BY list
),
items AS (
    SELECT
        list,
        count(*) - count(DISTINCT item) AS repeated,
        count(*) FILTER (gain <> trunc(gain)) AS broken
    FROM temp.recscope_rows
    WHERE item IS NOT NULL
    GROUP BY list
)
SELECT
    ranked.list,
    shown,
    relevant,
    unjudged,
    coalesce(tied, 0)::BIGINT AS tied,
    coalesce(close, 0)::BIGINT AS close,
    coalesce(repeated, 0)::BIGINT AS repeated,
    coalesce(broken, 0)::BIGINT AS broken
FROM ranked
LEFT JOIN scores ON scores.list = ranked.list
LEFT JOIN items ON items.list = ranked.list

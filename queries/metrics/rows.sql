-- id: metrics/rows
-- params: none
-- reads: temp.recscope_judged, temp.recscope_lists
-- returns: makes TEMP recscope_rows; NaN is NULL, an infinite gain too; `bad_score`: the score is NaN, so the row has none
-- grain: one row per row of recscope_judged with a query
CREATE OR REPLACE TEMP TABLE recscope_rows AS
SELECT
    lists.list,
    item,
    CASE WHEN NOT isnan(score) THEN score END AS score,
    coalesce(isnan(score), FALSE) AS bad_score,
    shown AND coalesce(NOT isnan(score), TRUE) AS shown,
    CASE WHEN isfinite(gain) THEN gain END AS gain,
    label,
    purchase,
    text,
    tie_position,
    tie_item,
    seq,
    policy
FROM temp.recscope_judged AS judged
JOIN temp.recscope_lists AS lists
    -- What a collation calls equal are lists of their own.
    ON hash(judged.query, judged."user", judged.slice) = lists.key
    AND judged.query = lists.query
    AND judged."user" IS NOT DISTINCT FROM lists."user"
    AND judged.slice IS NOT DISTINCT FROM lists.slice

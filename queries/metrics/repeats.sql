-- id: metrics/repeats
-- params: none
-- reads: temp.recscope_rows
-- returns: rows BIGINT, tied BIGINT
-- grain: one row: surplus rows of items that occur twice in a list; shown rows that share their score
SELECT
    (SELECT coalesce(sum(n - 1), 0) FROM (
        SELECT count(*) AS n FROM temp.recscope_rows WHERE item IS NOT NULL GROUP BY list, item HAVING n > 1
    ))::BIGINT AS rows,
    (SELECT coalesce(sum(n), 0) FROM (
        SELECT count(*) AS n FROM temp.recscope_rows WHERE shown GROUP BY list, score HAVING n > 1
    ))::BIGINT AS tied

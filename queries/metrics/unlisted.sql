-- id: metrics/unlisted
-- params: none
-- reads: temp.recscope_judged
-- returns: rows BIGINT
-- grain: one row: how many rows have no query
SELECT count(*) AS rows FROM temp.recscope_judged WHERE query IS NULL

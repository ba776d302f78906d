-- id: slices/facts
-- params: {=score} the score, NULL without one
-- reads: temp.recscope_sliced
-- returns: rows BIGINT, lowest DOUBLE, highest DOUBLE
-- grain: one row; NaN and infinite scores are no scores
SELECT
    count(*) AS rows,
    min(score) FILTER (isfinite(score)) AS lowest,
    max(score) FILTER (isfinite(score)) AS highest
FROM (SELECT CAST({=score} AS DOUBLE) AS score FROM temp.recscope_sliced)

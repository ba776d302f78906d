-- id: metrics/facts
-- params: none
-- reads: temp.recscope_rows
-- returns: rows BIGINT, shown BIGINT, bad_scores BIGINT, unjudged BIGINT, largest_gain DOUBLE, lowest_score DOUBLE, highest_score DOUBLE
-- grain: one row
SELECT
    count(*) AS rows,
    count(*) FILTER (shown) AS shown,
    count(*) FILTER (bad_score) AS bad_scores,
    count(*) FILTER (gain IS NULL) AS unjudged,
    max(gain) AS largest_gain,
    min(score) FILTER (isfinite(score)) AS lowest_score,
    max(score) FILTER (isfinite(score)) AS highest_score
FROM temp.recscope_rows

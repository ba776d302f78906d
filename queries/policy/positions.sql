-- id: policy/positions
-- params: none
-- reads: temp.recscope_rows with the struct `policy`
-- returns: position DOUBLE, shown DOUBLE, clicks DOUBLE
-- grain: one row per position at which labelled rows stand, in ascending order
SELECT
    policy.position AS position,
    count(*)::DOUBLE AS shown,
    count(*) FILTER (label)::DOUBLE AS clicks
FROM temp.recscope_rows
WHERE label IS NOT NULL AND isfinite(policy.position)
GROUP BY ALL
ORDER BY position

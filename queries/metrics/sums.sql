-- id: metrics/sums
-- params: none
-- reads: temp.recscope_extras
-- returns: list UINTEGER, rows DOUBLE, revenue DOUBLE, revenue_rows DOUBLE, margin DOUBLE, margin_rows DOUBLE, absolute DOUBLE, squared DOUBLE, rated DOUBLE
-- grain: one row per list: sums over its rows, and how many rows each is a sum of
SELECT
    list,
    count(*)::DOUBLE AS rows,
    coalesce(sum(revenue), 0) AS revenue,
    count(revenue)::DOUBLE AS revenue_rows,
    coalesce(sum(margin), 0) AS margin,
    count(margin)::DOUBLE AS margin_rows,
    -- An infinite score has a rank, but no distance.
    coalesce(sum(abs(score - grade)) FILTER (isfinite(score)), 0) AS absolute,
    coalesce(sum(pow(score - grade, 2)) FILTER (isfinite(score)), 0) AS squared,
    (count(score - grade) FILTER (isfinite(score)))::DOUBLE AS rated
FROM temp.recscope_extras
GROUP BY list

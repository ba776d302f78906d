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
    coalesce(sum(abs(score - grade)), 0) AS absolute,
    coalesce(sum(pow(score - grade, 2)), 0) AS squared,
    count(score - grade)::DOUBLE AS rated
FROM temp.recscope_extras
GROUP BY list

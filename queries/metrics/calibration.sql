-- id: metrics/calibration
-- params: {=probability} of the positive class, over `score`
-- reads: temp.recscope_rows
-- returns: list UINTEGER, bin BIGINT, rows DOUBLE, p DOUBLE, label DOUBLE
-- grain: one row per list and bin of 15, equal-width and right-closed
SELECT
    list,
    greatest(ceil(p * 15) - 1, 0)::BIGINT AS bin,
    count(*)::DOUBLE AS rows,
    sum(p) AS p,
    sum(label::DOUBLE) AS label
FROM (SELECT list, label, {=probability} AS p FROM temp.recscope_rows WHERE label IS NOT NULL)
WHERE p IS NOT NULL
GROUP BY list, bin
ORDER BY list, bin

-- id: metrics/outcomes
-- params: {=probability} of the positive class, over `score`
-- reads: temp.recscope_rows
-- returns: list UINTEGER, rows DOUBLE, scored DOUBLE, tp DOUBLE, fp DOUBLE, fn DOUBLE, tn DOUBLE, log_loss DOUBLE, brier DOUBLE, labelled DOUBLE, clicks DOUBLE, asked DOUBLE, purchases DOUBLE
-- grain: one row per list: sums over its rows; the first group over rows with score and label
WITH predicted AS (
    SELECT
        list,
        label,
        purchase,
        CASE WHEN label IS NOT NULL THEN {=probability} END AS p
    FROM temp.recscope_rows
)
SELECT
    list,
    count(*)::DOUBLE AS rows,
    count(p)::DOUBLE AS scored,
    count(*) FILTER (p >= 0.5 AND label)::DOUBLE AS tp,
    count(*) FILTER (p >= 0.5 AND NOT label)::DOUBLE AS fp,
    count(*) FILTER (p < 0.5 AND label)::DOUBLE AS fn,
    count(*) FILTER (p < 0.5 AND NOT label)::DOUBLE AS tn,
    coalesce(sum(-ln(greatest(pow(2, -52), least(1 - pow(2, -52), CASE WHEN label THEN p ELSE 1 - p END)))) FILTER (p IS NOT NULL), 0) AS log_loss,
    coalesce(sum(pow(p - label::DOUBLE, 2)), 0) AS brier,
    count(label)::DOUBLE AS labelled,
    count(*) FILTER (label)::DOUBLE AS clicks,
    count(purchase)::DOUBLE AS asked,
    count(*) FILTER (purchase)::DOUBLE AS purchases
FROM predicted
GROUP BY list

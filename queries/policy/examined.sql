-- id: policy/examined
-- params: {=positions} and {=examinations} lists of equal length: the fitted curve, {=examination} `curve.examination` or `logged.policy.examination`
-- reads: temp.recscope_rows with the struct `policy`
-- returns: list UINTEGER, rows DOUBLE, used DOUBLE, unknown DOUBLE, clicks DOUBLE, debiased DOUBLE, squares DOUBLE
-- grain: one row per list: rows, labelled rows whose examination is within (0, 1] and those where it is not, clicks of the former, sums of 1 / examination and of its square over those clicks
WITH curve AS (
    SELECT unnest({=positions}) AS position, unnest({=examinations}) AS examination
),
looked AS (
    SELECT logged.list, logged.label, {=examination} AS examination
    FROM temp.recscope_rows AS logged
    LEFT JOIN curve ON curve.position = logged.policy.position
),
proper AS (
    SELECT list, label, CASE WHEN examination > 0 AND examination <= 1 + 1e-9 THEN examination END AS examination
    FROM looked
)
SELECT
    list,
    count(*)::DOUBLE AS rows,
    count(*) FILTER (label IS NOT NULL AND examination IS NOT NULL)::DOUBLE AS used,
    count(*) FILTER (label IS NOT NULL AND examination IS NULL)::DOUBLE AS unknown,
    count(*) FILTER (label AND examination IS NOT NULL)::DOUBLE AS clicks,
    coalesce(sum(1 / examination) FILTER (label), 0)::DOUBLE AS debiased,
    coalesce(sum(1 / (examination * examination)) FILTER (label), 0)::DOUBLE AS squares
FROM proper
GROUP BY list

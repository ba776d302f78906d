-- id: policy/weights
-- params: $clip largest weight, NULL for none
-- reads: temp.recscope_rows with the struct `policy`
-- returns: list UINTEGER, rows DOUBLE, unsupported DOUBLE, untargeted DOUBLE, improper DOUBLE, rewarded DOUBLE, modelled DOUBLE, weights DOUBLE, raw_weights DOUBLE, squares DOUBLE, largest DOUBLE, clipped DOUBLE, ips DOUBLE, ips_weights DOUBLE, dr DOUBLE
-- grain: one row per list: sums over its rows; weight = target / propensity, NULL (unsupported) without a target, with no propensity where target > 0, and where either is no probability
WITH logged AS (
    SELECT
        list,
        CASE WHEN isfinite(policy.reward) THEN policy.reward END AS reward,
        CASE WHEN isfinite(policy.q_logged) THEN policy.q_logged END AS q_logged,
        CASE WHEN isfinite(policy.q_target) THEN policy.q_target END AS q_target,
        policy.target AS target,
        policy.propensity AS propensity,
        -- NaN is above every number here. A rounded sum may be a little above 1.
        policy.target IS NOT NULL
            AND coalesce(NOT policy.target BETWEEN 0 AND 1 + 1e-9 OR NOT policy.propensity BETWEEN 0 AND 1 + 1e-9, FALSE) AS improper
    FROM temp.recscope_rows
),
weighted AS (
    SELECT
        *,
        CASE
            WHEN target IS NULL OR improper THEN NULL
            WHEN target = 0 THEN 0
            WHEN propensity > 0 THEN target / propensity
        END AS raw
    FROM logged
),
kept AS (
    SELECT *, CASE WHEN raw IS NOT NULL THEN least(raw, coalesce($clip, raw)) END AS weight
    FROM weighted
)
SELECT
    list,
    count(*)::DOUBLE AS rows,
    count(*) FILTER (raw IS NULL)::DOUBLE AS unsupported,
    count(*) FILTER (target IS NULL)::DOUBLE AS untargeted,
    count(*) FILTER (improper)::DOUBLE AS improper,
    count(weight * reward)::DOUBLE AS rewarded,
    count(weight * reward + q_logged + q_target)::DOUBLE AS modelled,
    coalesce(sum(weight), 0)::DOUBLE AS weights,
    coalesce(sum(raw), 0)::DOUBLE AS raw_weights,
    coalesce(sum(weight * weight), 0)::DOUBLE AS squares,
    coalesce(max(raw), 0)::DOUBLE AS largest,
    count(*) FILTER (weight < raw)::DOUBLE AS clipped,
    coalesce(sum(weight * reward), 0)::DOUBLE AS ips,
    coalesce(sum(weight) FILTER (reward IS NOT NULL), 0)::DOUBLE AS ips_weights,
    coalesce(sum(q_target + weight * (reward - q_logged)), 0)::DOUBLE AS dr
FROM kept
GROUP BY list

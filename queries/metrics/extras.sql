-- id: metrics/extras
-- params: {from} relation, {=where} filter, and the roles {=query} {=user} {=slice} {=item} {=score} {=other} {=grade} {=revenue} {=margin} {=category} {=embedding} {=published} {=time} as expressions over `source`
-- reads: {from}, temp.recscope_lists
-- returns: makes TEMP recscope_extras (list, item, score, other, grade, revenue, margin, category, embedding, published, shown_at); NaN is NULL, and so are infinities but those of scores, which have a rank
-- grain: one row per row of {from} that passes the filter and has a query
CREATE OR REPLACE TEMP TABLE recscope_extras AS
WITH roles AS (
    SELECT
        {=query} AS query,
        {=user} AS "user",
        {=slice} AS slice,
        CAST({=item} AS VARCHAR) AS item,
        CAST({=score} AS DOUBLE) AS score,
        CAST({=other} AS DOUBLE) AS other,
        CAST({=grade} AS DOUBLE) AS grade,
        CAST({=revenue} AS DOUBLE) AS revenue,
        CAST({=margin} AS DOUBLE) AS margin,
        CAST({=category} AS VARCHAR) AS category,
        CAST({=embedding} AS DOUBLE[]) AS embedding,
        CAST({=published} AS TIMESTAMP) AS published,
        CAST({=time} AS TIMESTAMP) AS shown_at
    FROM (SELECT * FROM {from} WHERE {=where}) AS source
)
SELECT
    lists.list,
    item,
    CASE WHEN NOT isnan(score) THEN score END AS score,
    CASE WHEN NOT isnan(other) THEN other END AS other,
    CASE WHEN isfinite(grade) THEN grade END AS grade,
    CASE WHEN isfinite(revenue) THEN revenue END AS revenue,
    CASE WHEN isfinite(margin) THEN margin END AS margin,
    category,
    embedding,
    published,
    shown_at
FROM roles
JOIN temp.recscope_lists AS lists
    ON hash(roles.query, roles."user", roles.slice) = lists.key
    AND roles.query = lists.query
    AND roles."user" IS NOT DISTINCT FROM lists."user"
    AND roles.slice IS NOT DISTINCT FROM lists.slice

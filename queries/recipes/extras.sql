-- id: recipes/extras
-- params: {from} relation, {=where} filter, {=named} has a list, and {=list} and the roles {=item} {=score} {=other} {=grade} {=revenue} {=margin} {=category} {=embedding} {=published} {=time} as expressions over `source`
-- reads: {from}
-- returns: the columns of recscope_extras; `list` is what a list is called, not a number
-- grain: one row per row of {from} that passes the filter and belongs to a list
WITH roles AS (
    SELECT
        {=list} AS list,
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
    WHERE {=named}
)
SELECT
    * REPLACE (
        CASE WHEN NOT isnan(score) THEN score END AS score,
        CASE WHEN NOT isnan(other) THEN other END AS other,
        CASE WHEN isfinite(grade) THEN grade END AS grade,
        CASE WHEN isfinite(revenue) THEN revenue END AS revenue,
        CASE WHEN isfinite(margin) THEN margin END AS margin
    )
FROM roles

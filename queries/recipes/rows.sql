-- id: recipes/rows
-- params: {from} relation, {=where} filter, {=named} has a list, and {=list} and the roles {=item} {=score} {=gain} {=label} {=purchase} {=text} {=shown} {=tie_position} {=tie_item} {=seq} as expressions over `source`
-- reads: {from}
-- returns: the columns of recscope_rows that metrics read; `list` is what a list is called, not a number
-- grain: one row per row of {from} that passes the filter and belongs to a list
SELECT
    {=list} AS list,
    CAST({=item} AS VARCHAR) AS item,
    CASE WHEN NOT isnan(CAST({=score} AS DOUBLE)) THEN CAST({=score} AS DOUBLE) END AS score,
    {=shown} AND coalesce(NOT isnan(CAST({=score} AS DOUBLE)), TRUE) AS shown,
    CASE WHEN isfinite(CAST({=gain} AS DOUBLE)) THEN CAST({=gain} AS DOUBLE) END AS gain,
    CAST({=label} AS BOOLEAN) AS label,
    CAST({=purchase} AS BOOLEAN) AS purchase,
    CAST({=text} AS VARCHAR) AS text,
    CAST({=tie_position} AS DOUBLE) AS tie_position,
    CAST({=tie_item} AS VARCHAR) AS tie_item,
    {=seq} AS seq
FROM (SELECT * FROM {from} WHERE {=where}) AS source
WHERE {=named}

-- id: metrics/judged
-- params: {from} relation, {=where} filter, and the roles {=query} {=user} {=item} {=score} {=gain} {=label} {=purchase} {=text} {=slice} {=shown} {=tie_position} {=tie_item} {=seq} {=policy} as expressions over `source`
-- reads: {from}
-- returns: makes TEMP recscope_judged
-- grain: one row per row of {from} that passes the filter
CREATE OR REPLACE TEMP TABLE recscope_judged AS
SELECT
    {=query} AS query,
    {=user} AS "user",
    {=slice} AS slice,
    CAST({=item} AS VARCHAR) AS item,
    CAST({=score} AS DOUBLE) AS score,
    {=shown} AS shown,
    CAST({=gain} AS DOUBLE) AS gain,
    CAST({=label} AS BOOLEAN) AS label,
    CAST({=purchase} AS BOOLEAN) AS purchase,
    CAST({=text} AS VARCHAR) AS text,
    CAST({=tie_position} AS DOUBLE) AS tie_position,
    CAST({=tie_item} AS VARCHAR) AS tie_item,
    {=seq} AS seq,
    {=policy} AS policy
FROM (SELECT * FROM {from} WHERE {=where}) AS source

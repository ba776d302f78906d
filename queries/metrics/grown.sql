-- id: metrics/grown
-- params: {from} table, {=where} filter, {=query} as an expression over `source`, $since rows that it had before
-- reads: {from}
-- returns: makes TEMP recscope_grown, with the columns of {from}
-- grain: one row per row of {from} whose query has a row among those that came since, in their order
CREATE OR REPLACE TEMP TABLE recscope_grown AS
SELECT source.*
FROM {from} AS source
WHERE {=query} IN (
    SELECT {=query}
    FROM (SELECT * FROM {from} WHERE rowid >= $since) AS source
    WHERE {=where}
)

-- id: metrics/unanswered
-- params: {from} relation, {=where} filter, {query} and {order} columns, what orders a query's rows
-- reads: {from}
-- returns: makes TEMP recscope_unanswered (query)
-- grain: one row per query of which no row has anything that orders it
CREATE OR REPLACE TEMP TABLE recscope_unanswered AS
SELECT {query} AS query
FROM (SELECT * FROM {from} WHERE {=where})
WHERE {query} IS NOT NULL
GROUP BY {query}
HAVING count({order}) FILTER (NOT coalesce(isnan(TRY_CAST({order} AS DOUBLE)), FALSE)) = 0

-- id: metrics/unscored
-- params: {from} relation, {=where} filter, {query} and {order} columns, what orders a query's rows
-- reads: {from}
-- returns: query as {from} has it
-- grain: one row if a row of any query has nothing that orders it, else none
SELECT {query} AS query
FROM (SELECT * FROM {from} WHERE {=where})
WHERE ({order} IS NULL OR coalesce(isnan(TRY_CAST({order} AS DOUBLE)), FALSE)) AND {query} IS NOT NULL
LIMIT 1

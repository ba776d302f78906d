-- id: eval/judged_queries
-- params: {out} TEMP table to make; {run} rows that bring their gains along, {query} and {gain} their columns
-- reads: {run}
-- returns: makes TEMP {out} (query)
-- grain: one row per query with a judged row
CREATE OR REPLACE TEMP TABLE {out} AS
SELECT DISTINCT {query} AS query FROM {run}
WHERE {gain} IS NOT NULL AND NOT isnan(coalesce(TRY_CAST({gain} AS DOUBLE), 0))

-- id: eval/unjudged
-- params: {run} rows that bring their gains along, {gain} their column
-- reads: {run}
-- returns: gain DOUBLE
-- grain: one row if any row is not judged, else none
SELECT CAST({gain} AS DOUBLE) AS gain FROM {run} WHERE {gain} IS NULL OR isnan(coalesce(TRY_CAST({gain} AS DOUBLE), 0)) LIMIT 1

-- id: eval/overlap
-- params: {rows} what eval/judged_run made
-- reads: {rows}
-- returns: judged BIGINT (queries with a grade), answered BIGINT (of them those in the run), matched BIGINT (of them those with a judged item in the run)
-- grain: one row
SELECT count(*) AS judged, count(*) FILTER (answered) AS answered, count(*) FILTER (matched) AS matched
FROM (
    SELECT bool_or(place IS NOT NULL) AS answered, bool_or(place IS NOT NULL AND gain IS NOT NULL) AS matched
    FROM {rows} GROUP BY query
)

-- id: models/sample
-- params: {input} relation, {query} first text column, {title} second, {=gain} judgment or NULL, $rows about how many
-- reads: {input}
-- returns: query VARCHAR, title VARCHAR, gain DOUBLE
-- grain: one row per row of {input} of the sampled queries
-- Whole queries, so that lists can be judged; which ones depends on their texts alone. A query that has
-- more rows than were asked for is cut.
WITH sizes AS (
    SELECT {query} AS query, count(*) AS n FROM {input} WHERE {query} IS NOT NULL GROUP BY ALL
),
sampled AS (
    SELECT query
    FROM (SELECT query, sum(n) OVER (ORDER BY hash(query), query ROWS UNBOUNDED PRECEDING) - n AS before FROM sizes)
    WHERE before < $rows
)
SELECT {query}::VARCHAR AS query, {title}::VARCHAR AS title, ({=gain})::DOUBLE AS gain
FROM {input}
WHERE {query} IN (SELECT query FROM sampled)
ORDER BY hash({query}), {query}, {title}
LIMIT $rows * 2

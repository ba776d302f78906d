-- id: eval/ids
-- params: {rows} relation, {id} its column of ids; $most BIGINT
-- reads: {rows}
-- returns: id VARCHAR
-- grain: one row per different id, at most $most, in the order of their first rows
SELECT id FROM (
    SELECT {id}::VARCHAR AS id, min(place) AS place
    FROM (SELECT {id}, row_number() OVER () AS place FROM {rows})
    GROUP BY ALL
) WHERE id IS NOT NULL ORDER BY place LIMIT $most

-- Judged rows as a search engine's offline test has them: 100 results a query, most of them of no use.
COPY (
    SELECT
        'q' || (row // 100) AS query,
        'item-' || (hash(row) % 5000000) || '-' || (row % 100) AS item,
        -- Scores help a little. They are whole numbers, so that none are equal for a peer that reads f32.
        row_number() OVER (PARTITION BY row // 100 ORDER BY 0.3 * gain + random())::DOUBLE AS score,
        gain
    FROM (
        SELECT range AS row, CASE WHEN hash(range + 7) % 100 < 4 THEN 3 WHEN hash(range + 7) % 100 < 12 THEN 1 ELSE 0 END AS gain
        FROM range($rows)
    )
) TO $file (FORMAT parquet)

-- id: metrics/distance
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_extras
-- returns: list UINTEGER, distance DOUBLE
-- grain: one row per list that shows at least two items whose embeddings can be compared
WITH vectors AS (
    SELECT list, item, max(embedding) AS embedding
    FROM temp.recscope_extras
    WHERE embedding IS NOT NULL
        AND item IS NOT NULL
        AND len(list_filter(embedding, lambda x: x IS NULL OR NOT isfinite(x))) = 0
        AND len(list_filter(embedding, lambda x: x <> 0)) > 0
    GROUP BY list, item
),
shown AS (
    SELECT ranked.list, ranked.rank, vectors.embedding
    FROM temp.recscope_ranked AS ranked
    JOIN vectors ON vectors.list = ranked.list AND vectors.item = ranked.item
    WHERE ranked.rank <= $k
)
SELECT
    a.list,
    avg(CASE WHEN len(a.embedding) = len(b.embedding)
             THEN 1 - list_cosine_similarity(a.embedding, b.embedding) END) AS distance
FROM shown AS a
JOIN shown AS b ON a.list = b.list AND a.rank < b.rank
GROUP BY a.list

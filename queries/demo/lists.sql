-- id: demo/lists
-- params: $synonym (1: fault on), $buried (1: fault on), $stuffing (1: fault on)
-- reads: demo_queries, demo_items, demo_judgments, the macro draw
-- returns: table demo_lists(query, broken, bucket, item_id, position, engine_score)
-- grain: one row per query, engine variant, traffic bucket and position 1..10
-- The logged search engine: noisy relevance. Its faults: the `broken` variant reads "running shoes"
-- as "hiking boots"; items of Lotus Outdoor lose almost a point whatever they are; stuffed titles gain.
CREATE OR REPLACE TEMP TABLE demo_lists AS
WITH variants AS (
    SELECT q.*, b.broken, k.bucket,
           CASE WHEN b.broken AND $synonym = 1 AND q.category = 'running_shoes' THEN 'hiking_boots' ELSE q.category END AS sought
    FROM demo_queries AS q
    CROSS JOIN (VALUES (false), (true)) AS b(broken)
    CROSS JOIN range(8) AS k(bucket)
),
candidates AS (
    SELECT
        v.query, v.broken, v.bucket, i.item_id,
        CASE WHEN i.category = v.sought THEN 1.0 ELSE 0 END
        + CASE WHEN v.attribute IN (i.colour, i.audience, i.feature) THEN 0.6 ELSE 0 END
        + 2.6 * draw('noise', v.query || v.bucket || i.item_id)
        - CASE WHEN $buried = 1 AND i.supplier = 'Lotus Outdoor' THEN 0.9 ELSE 0 END
        + CASE WHEN $stuffing = 1 AND i.stuffed THEN 0.9 ELSE 0 END AS engine_score
    FROM variants AS v
    JOIN demo_items AS i
      ON i.lang = v.lang AND (i.category = v.sought OR draw('recall', v.query || i.item_id) < 0.05 OR (i.stuffed AND draw('recall2', v.query || i.item_id) < 0.15))
)
SELECT query, broken, bucket, item_id,
       row_number() OVER (PARTITION BY query, broken, bucket ORDER BY engine_score DESC, item_id) AS position,
       round(engine_score, 4) AS engine_score
FROM candidates
QUALIFY position <= 10
ORDER BY query, broken, bucket, position

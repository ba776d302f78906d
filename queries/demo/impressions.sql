-- id: demo/impressions
-- params: $searches
-- reads: demo_users, demo_queries, demo_items, demo_lists, demo_judgments, the macro draw
-- returns: table demo_impressions(search_id, ts, user_id, region, device, age_band, segment, query, lang, category, position, item_id, title,
--   supplier, item_category, price, engine_score, clicked, purchased, grade)
-- grain: one row per search and position
-- Clicks follow the position-based model: P(click) = P(look at position) x P(like | grade).
CREATE OR REPLACE TEMP TABLE demo_impressions AS
WITH spans AS (
    SELECT query, category, lang, sum(weight) OVER (ORDER BY query) / sum(weight) OVER () AS upto,
           (sum(weight) OVER (ORDER BY query) - weight) / sum(weight) OVER () AS above
    FROM demo_queries
),
searches AS (
    SELECT
        n,
        's' || lpad(n::VARCHAR, 6, '0') AS search_id,
        TIMESTAMP '2026-11-14 00:00:00' + to_seconds(floor(7 * 86400 * n / $searches + 3 * draw('late', n))::BIGINT) AS ts,
        'u' || lpad(floor(4000 * pow(draw('who', n), 1.3))::INT::VARCHAR, 5, '0') AS user_id,
        floor(8 * draw('bucket', n))::INT AS bucket,
        draw('what', n) AS what
    FROM range($searches) AS r(n)
)
SELECT
    s.search_id, s.ts, s.user_id, u.region, u.device, u.age_band, u.segment,
    q.query, q.lang, q.category,
    l.position, l.item_id, i.title, i.supplier, i.category AS item_category, i.price, l.engine_score,
    draw('click', s.search_id || l.position) < pow(l.position, -0.7) * [0.03, 0.12, 0.35, 0.6][j.grade + 1] AS clicked,
    clicked AND draw('buy', s.search_id || l.position) < [0.02, 0.08, 0.2, 0.3][j.grade + 1] AS purchased,
    j.grade
FROM searches AS s
JOIN demo_users AS u USING (user_id)
JOIN spans AS q ON s.what >= q.above AND s.what < q.upto
JOIN demo_lists AS l ON l.query = q.query AND l.broken = (u.region = 'south') AND l.bucket = s.bucket
JOIN demo_items AS i USING (item_id)
JOIN demo_judgments AS j ON j.query = q.query AND j.item_id = l.item_id
ORDER BY s.search_id, l.position

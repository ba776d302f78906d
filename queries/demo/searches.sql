-- id: demo/searches
-- params: none
-- reads: demo_categories, the macro draw
-- returns: table demo_queries(query, lang, category, attribute, weight)
-- grain: one row per distinct query text
-- It is running season: a quarter of the searches are for running shoes.
-- `attribute` is the one wish beside the category (a colour, an audience, a feature), NULL for none.
CREATE OR REPLACE TEMP TABLE demo_queries AS
WITH wishes AS (
    SELECT category, 'en' AS lang, en AS name, NULL AS attribute FROM demo_categories
    UNION ALL
    SELECT category, 'zh', zh, NULL FROM demo_categories
    UNION ALL
    SELECT category, 'en', en, unnest(['Men', 'Women', 'Kids', 'Black', 'White', 'Red', 'Blue', 'Green', 'Grey'] || features_en)
    FROM demo_categories
    UNION ALL
    SELECT category, 'zh', zh, unnest(['男', '女', '儿童', '黑色', '白色', '红色', '蓝色', '绿色', '灰色'] || features_zh)
    FROM demo_categories
),
texts AS (
    SELECT
        CASE
            WHEN attribute IS NULL THEN lower(name)
            WHEN lang = 'en' AND draw('order', name || attribute) < 0.5 THEN lower(attribute || ' ' || name)
            ELSE lower(name || ' ' || attribute)
        END AS query,
        lang, category, attribute
    FROM wishes
)
SELECT query, lang, category, attribute,
       CASE WHEN category = 'running_shoes' THEN 4.0 ELSE 1.0 END / (12 + row_number() OVER (ORDER BY draw('popular', query))) AS weight
FROM texts
ORDER BY query

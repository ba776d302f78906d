-- id: demo/items
-- params: $stuffing (1: fault on)
-- reads: demo_categories, the macro draw
-- returns: table demo_items(item_id, lang, category, title, colour, audience, feature, brand, supplier, price, stuffed)
-- grain: one row per item
-- The fault: one item in 17 of the categories that it does not name has a title that lists the names of other categories instead of saying what it is.
CREATE OR REPLACE TEMP TABLE demo_items AS
WITH drawn AS (
    SELECT
        n,
        CASE WHEN n % 2 = 0 THEN 'en' ELSE 'zh' END AS lang,
        1 + floor(6 * draw('colour', n))::INT AS colour,
        1 + floor(3 * draw('audience', n))::INT AS audience,
        1 + floor(3 * draw('feature', n))::INT AS feature,
        1 + floor(8 * draw('brand', n))::INT AS brand,
        1 + floor(6 * draw('supplier', n))::INT AS supplier,
        round(15 + 180 * draw('price', n), 2) AS price,
        draw('stuffed', n) < 0.06 AND c.category NOT IN ('running_shoes', 'headphones', 'backpack', 'tent', 'keyboard', 'sunglasses') AS stuffed,
        c.*
    FROM range(1440) AS r(n)
    JOIN (SELECT *, row_number() OVER (ORDER BY category) - 1 AS k FROM demo_categories) AS c ON c.k = (n // 2) % 12
),
worded AS (
    SELECT
        *,
        ['Black', 'White', 'Red', 'Blue', 'Green', 'Grey'][colour] AS colour_en,
        ['黑色', '白色', '红色', '蓝色', '绿色', '灰色'][colour] AS colour_zh,
        ['Men', 'Women', 'Kids'][audience] AS audience_en,
        ['男', '女', '儿童'][audience] AS audience_zh,
        ['Arcadia', 'Borealis', 'Cobalt', 'Delta', 'Everest', 'Falcon', 'Granite', 'Harbor'][brand] AS brand_en,
        ['远行', '北辰', '青石', '三角洲', '珠峰', '猎鹰', '磐石', '海港'][brand] AS brand_zh
    FROM drawn
)
SELECT
    'p' || lpad(n::VARCHAR, 5, '0') AS item_id,
    lang,
    category,
    CASE
        WHEN stuffed AND $stuffing = 1 AND lang = 'en'
            THEN 'Best Seller Running Shoes Headphones Backpack Tent Keyboard Sunglasses ' || colour_en || ' Gift'
        WHEN stuffed AND $stuffing = 1
            THEN '热卖爆款 跑鞋 耳机 背包 帐篷 键盘 太阳镜 ' || colour_zh || ' 礼品'
        WHEN lang = 'en' THEN brand_en || ' ' || audience_en || ' ' || colour_en || ' ' || features_en[feature] || ' ' || en
        ELSE brand_zh || ' ' || audience_zh || ' ' || colour_zh || ' ' || features_zh[feature] || ' ' || zh
    END AS title,
    CASE WHEN lang = 'en' THEN colour_en ELSE colour_zh END AS colour,
    CASE WHEN lang = 'en' THEN audience_en ELSE audience_zh END AS audience,
    CASE WHEN lang = 'en' THEN features_en[feature] ELSE features_zh[feature] END AS feature,
    CASE WHEN lang = 'en' THEN brand_en ELSE brand_zh END AS brand,
    ['Alpine Trade', 'Lotus Outdoor', 'Pearl River', 'Northwind', 'Silk Road', 'Harbour Bros'][supplier] AS supplier,
    price,
    stuffed
FROM worded
ORDER BY item_id

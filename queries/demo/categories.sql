-- id: demo/categories
-- params: none
-- reads: nothing
-- returns: table demo_categories(category, en, zh, features_en, features_zh)
-- grain: one row per category
CREATE OR REPLACE TEMP TABLE demo_categories AS
SELECT *
FROM (VALUES
    ('running_shoes', 'Running Shoes', '跑鞋', ['Lightweight', 'Breathable', 'Cushioned'], ['轻便', '透气', '减震']),
    ('hiking_boots', 'Hiking Boots', '登山靴', ['Waterproof', 'Leather', 'Insulated'], ['防水', '真皮', '加绒']),
    ('headphones', 'Headphones', '耳机', ['Wireless', 'Noise Cancelling', 'Foldable'], ['无线', '降噪', '折叠']),
    ('phone_case', 'Phone Case', '手机壳', ['Shockproof', 'Magnetic', 'Slim'], ['防摔', '磁吸', '超薄']),
    ('backpack', 'Backpack', '背包', ['Waterproof', 'Laptop', 'Foldable'], ['防水', '电脑', '折叠']),
    ('rain_jacket', 'Rain Jacket', '冲锋衣', ['Waterproof', 'Lightweight', 'Hooded'], ['防水', '轻便', '连帽']),
    ('yoga_mat', 'Yoga Mat', '瑜伽垫', ['Thick', 'Non Slip', 'Foldable'], ['加厚', '防滑', '折叠']),
    ('water_bottle', 'Water Bottle', '保温杯', ['Insulated', 'Steel', 'Leakproof'], ['保温', '不锈钢', '防漏']),
    ('desk_lamp', 'Desk Lamp', '台灯', ['Dimmable', 'Rechargeable', 'Clip'], ['调光', '充电', '夹式']),
    ('keyboard', 'Keyboard', '键盘', ['Wireless', 'Mechanical', 'Compact'], ['无线', '机械', '紧凑']),
    ('sunglasses', 'Sunglasses', '太阳镜', ['Polarized', 'Sport', 'Foldable'], ['偏光', '运动', '折叠']),
    ('tent', 'Tent', '帐篷', ['Waterproof', 'Lightweight', 'Family'], ['防水', '轻便', '家庭'])
) AS c(category, en, zh, features_en, features_zh)

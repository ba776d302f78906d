-- id: demo/users
-- params: none
-- reads: the macro draw
-- returns: table demo_users(user_id, region, device, age_band, segment)
-- grain: one row per user
CREATE OR REPLACE TEMP TABLE demo_users AS
SELECT
    'u' || lpad(n::VARCHAR, 5, '0') AS user_id,
    ['north', 'south', 'east', 'west'][1 + floor(4 * draw('region', n))::INT] AS region,
    ['phone', 'phone', 'phone', 'desktop', 'desktop', 'tablet'][1 + floor(6 * draw('device', n))::INT] AS device,
    ['18-24', '25-34', '25-34', '35-49', '35-49', '50+'][1 + floor(6 * draw('age', n))::INT] AS age_band,
    CASE WHEN draw('segment', n) < 0.3 THEN 'new' ELSE 'returning' END AS segment
FROM range(4000) AS r(n)
ORDER BY user_id

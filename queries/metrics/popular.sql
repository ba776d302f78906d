-- id: metrics/popular
-- params: {from} relation, {=item} and {=label} as expressions over `source`
-- reads: {from}, unfiltered: the catalogue
-- returns: makes TEMP recscope_popular (item, clicks, place, tail)
-- grain: one row per item of the catalogue; place 1 is the most clicked, ties by item id; tail: beyond the first fifth
CREATE OR REPLACE TEMP TABLE recscope_popular AS
SELECT
    item,
    clicks,
    row_number() OVER (ORDER BY clicks DESC, item) AS place,
    row_number() OVER (ORDER BY clicks DESC, item) > ceil(count(*) OVER () / 5.0) AS tail
FROM (
    SELECT CAST({=item} AS VARCHAR) AS item, count(*) FILTER ({=label}) AS clicks
    FROM {from} AS source
    GROUP BY 1
)
WHERE item IS NOT NULL

-- id: metrics/exposure
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_items
-- returns: list UINTEGER, item UINTEGER, times DOUBLE
-- grain: one row per list and item that it shows
SELECT ranked.list, items.number AS item, count(*)::DOUBLE AS times
FROM temp.recscope_ranked AS ranked
JOIN temp.recscope_items AS items ON items.item = ranked.item
WHERE ranked.rank <= $k
GROUP BY ranked.list, items.number
ORDER BY ranked.list, items.number

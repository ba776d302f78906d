-- id: metrics/ranked
-- params: {rows} recscope_rows or recscope_unique, {=item} `item` where it is needed later, else NULL, $relevant_at gain
-- reads: temp.{rows}
-- returns: makes TEMP recscope_ranked; rank counts from 1, NULL for what was not retrieved; gain >= 0
-- grain: one row per row of {rows}
CREATE OR REPLACE TEMP TABLE recscope_ranked AS
SELECT
    list,
    CAST({=item} AS VARCHAR) AS item,
    text,
    CASE WHEN shown THEN row_number() OVER (
        PARTITION BY list
        ORDER BY shown DESC, score DESC NULLS LAST, tie_position ASC NULLS LAST, tie_item DESC NULLS LAST, seq
    ) END AS rank,
    greatest(coalesce(gain, 0), 0) AS gain,
    -- A negative grade says that nobody judged the item, as in trec_eval.
    coalesce(gain >= 0, FALSE) AS judged,
    coalesce(gain >= $relevant_at, FALSE) AS relevant,
    coalesce(label, FALSE) AS clicked
FROM temp.{rows}

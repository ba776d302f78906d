-- id: eval/side
-- params: {rows} relation, {query}, {item} and {value} its columns
-- reads: {rows}
-- returns: query VARCHAR, item VARCHAR, value DOUBLE
-- grain: one row per row of {rows}, in its order; an error where a value is no number
SELECT {query}::VARCHAR AS query, {item}::VARCHAR AS item, {value}::DOUBLE AS value
FROM {rows}

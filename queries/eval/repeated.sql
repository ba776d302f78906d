-- id: eval/repeated
-- params: {judged} what eval/judgments made
-- reads: {judged}
-- returns: repeated BIGINT, conflicting BIGINT, judged BIGINT (rows with a grade), query VARCHAR, item VARCHAR (of the first conflict, else of the first repeat; NULL: none)
-- grain: one row
SELECT count(*) FILTER (copies > 1) AS repeated, count(*) FILTER (grades > 1) AS conflicting,
       count(gain) AS judged,
       arg_min(query, (grades <= 1, place)) FILTER (copies > 1) AS query,
       arg_min(item, (grades <= 1, place)) FILTER (copies > 1) AS item
FROM {judged}

-- id: fairness/shared_users
-- params: {from} relation, {=where} filter, {user} column, {=shared} whether a user's rows are of several queries, an aggregate
-- reads: {from}
-- returns: users BIGINT, shared BIGINT
-- grain: one row: different users, and those of them with rows of several queries
SELECT count(*) AS users, count(*) FILTER (several) AS shared
FROM (
    SELECT {user} AS "user", {=shared} AS several
    FROM (SELECT * FROM {from} WHERE {=where})
    WHERE {user} IS NOT NULL
    GROUP BY ALL
)

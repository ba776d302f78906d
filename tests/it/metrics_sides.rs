//! Runs and judgments that are at hand give what the database gives for their join: under every convention,
//! with ties, missing scores and unjudged items, whatever parts they are measured in.

use recscope::analysis::metrics::sides::{Overlap, Part, Side, Sides};
use recscope::analysis::metrics::{CONVENTIONS, MetricsRequest, MetricsTable, Roles, Rows, Ties, Unjudged};
use recscope::analysis::stats::Random;
use recscope::util::cancel::Cancel;

use crate::metrics::{names, run};
use crate::support_queries::Database;

const METRICS: &str = "ndcg@10 ndcg_exp map mrr@3 precision@5 recall@10 hit@2 f1@5 err@10 rbp@20 bpref rprec";

/// Rows of query, item and value.
type File = Vec<(String, String, f64)>;

fn files(seed: u64) -> (File, File) {
    let mut random = Random::new(seed);
    let (mut results, mut judgments) = (Vec::new(), Vec::new());
    let mut below = |most: usize| random.below(most);
    for query in 0..60 {
        let name = format!("查询{}", (query * 37) % 101);
        for item in 0..below(30) {
            if below(4) > 0 {
                let score = match below(12) {
                    0 => f64::NAN,
                    1 => f64::INFINITY,
                    2 => 0.1 + below(3) as f64 * 1e-9,
                    _ => below(6) as f64 / 4.0,
                };
                results.push((name.clone(), format!("i{item}"), score));
            }
            if below(3) > 0 {
                judgments.push((name.clone(), format!("i{item}"), below(5) as f64 - 1.0));
            }
        }
    }
    if seed % 2 == 1 {
        results.reverse();
    }
    (results, judgments)
}

fn side(file: &File) -> Side<'_> {
    let mut side = Side::borrowing(file.len());
    file.iter().for_each(|(query, item, value)| side.push(query, item, *value));
    side
}

fn request(show: &str) -> MetricsRequest {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        score: column("score"),
        gain: column("gain"),
        position: column("place"),
        ..Roles::default()
    };
    let rows = Rows { from: "joined".into(), roles, relevant_at: 1.0, ..Rows::default() };
    MetricsRequest { rows, show: names(show), per_list: true, resamples: 30, ..MetricsRequest::default() }
}

fn at_hand(sides: &Sides<'_>, size: usize) -> Option<(MetricsTable, Overlap)> {
    let starts = (0..sides.lists()).step_by(size);
    let parts: Option<Vec<Part>> = starts
        .map(|from| sides.part(from..(from + size).min(sides.lists()), &Cancel::new()).unwrap())
        .collect();
    Some(sides.table(parts?, &Cancel::new()).unwrap())
}

fn load(database: &Database, results: &File, judgments: &File) {
    let values = |file: &File| -> String {
        let row = |(place, (query, item, value)): (usize, &(String, String, f64))| {
            format!("('{query}', '{item}', '{value}'::DOUBLE, {place})")
        };
        file.iter().enumerate().map(row).collect::<Vec<_>>().join(", ")
    };
    database.make(
        "joined",
        &format!(
            "WITH r AS (SELECT * FROM (VALUES {}) AS t(query, item, score, place)),
                  j AS (SELECT * FROM (VALUES {}) AS t(query, item, gain, other))
             SELECT query, item, score, gain, place FROM r FULL JOIN j USING (query, item)
             WHERE query IN (SELECT query FROM j) ORDER BY place NULLS LAST",
            values(results),
            values(judgments)
        ),
    );
}

#[test]
fn files_at_hand_give_what_their_join_gives() {
    let mut database = Database::new();
    for seed in 0..4 {
        let (results, judgments) = files(seed);
        load(&database, &results, &judgments);
        let (run_side, qrels_side) = (side(&results), side(&judgments));
        for convention in CONVENTIONS {
            let request = convention.apply(&request(METRICS));
            let Some(sides) = Sides::new(&run_side, &qrels_side, &request).unwrap() else {
                assert_eq!(convention.id, "recbole", "map over min(R, k) is the statements' business");
                continue;
            };
            let joined = run(&mut database, &request);
            let (table, overlap) = at_hand(&sides, 7).unwrap();
            // NaN is not equal to itself, but is printed alike.
            let whole = at_hand(&sides, 1000).unwrap().0;
            assert_eq!(format!("{table:?}"), format!("{whole:?}"), "parts change nothing");
            assert_eq!(table.notes, joined.notes, "{}", convention.id);
            for (a, b) in table.lines.iter().zip(&joined.lines) {
                assert_eq!((&a.metric, a.n, a.n_na), (&b.metric, b.n, b.n_na), "{}", convention.id);
                let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-12,
                    (a, b) => a == b,
                };
                assert!(
                    near(a.value, b.value) && near(a.lower, b.lower) && near(a.upper, b.upper),
                    "{a:?} {b:?}"
                );
            }
            let (ours, theirs) = (table.lists.unwrap(), joined.lists.unwrap());
            assert_eq!((&ours.queries, &ours.metrics), (&theirs.queries, &theirs.metrics));
            assert!(overlap.judged >= overlap.answered && overlap.answered >= overlap.matched);
            assert!(overlap.matched > 0);
        }
    }
}

/// What cannot be done at hand is left to the database.
#[test]
fn the_rest_is_left_to_the_database() {
    let (mut results, judgments) = files(1);
    let asked = request(METRICS);
    for show in ["ndcg@5 auc", "kendall", "coverage@3", "judged@5"] {
        let (run_side, qrels_side) = (side(&results), side(&judgments));
        assert!(Sides::new(&run_side, &qrels_side, &request(show)).unwrap().is_none(), "{show}");
    }
    for change in [
        |request: &mut MetricsRequest| request.bounds = true,
        |request: &mut MetricsRequest| request.rows.ties = Ties::Expected,
        |request: &mut MetricsRequest| request.by = vec!["item".into()],
        |request: &mut MetricsRequest| request.rows.rules.unjudged = Unjudged::Gain(1.0),
    ] {
        let mut changed = asked.clone();
        change(&mut changed);
        let (run_side, qrels_side) = (side(&results), side(&judgments));
        assert!(Sides::new(&run_side, &qrels_side, &changed).unwrap().is_none());
    }
    let judged = judgments.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
    let twice = results.iter().find(|row| judged.contains(&row.0)).unwrap().clone();
    results.push(twice);
    let (run_side, qrels_side) = (side(&results), side(&judgments));
    let sides = Sides::new(&run_side, &qrels_side, &asked).unwrap().unwrap();
    assert!(at_hand(&sides, 5).is_none(), "an item twice");
}

//! A value opened as a cell: the SQL that the engine writes makes the value that it measured, for every
//! metric that has one; the others say why not.

use arrow::array::{Array, Float64Array, StringArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use recscope::analysis::metrics::{Cutoff, METRICS};
use recscope::protocol::{Event, PageSpec, Problem, Request};

use crate::engine_bench::{Bench, done, plain};

/// Rows of 40 queries: ties, repeated items, unjudged items, rows without a score or a query, NaN, a query
/// of Chinese, groups of which one is NULL, everything that a metric can read.
const LOG: &str = "```sql log\nSELECT * FROM (SELECT n, CASE WHEN n % 97 = 5 THEN NULL ELSE 'q跑''' || (hash(n) % 40)::VARCHAR END AS q,\n  \
    'u' || (hash(n + 7) % 2)::VARCHAR AS person, 'i' || (hash(n + 1) % 12)::VARCHAR AS item,\n  \
    CASE WHEN hash(n + 2) % 11 = 0 THEN NULL WHEN n % 131 = 3 THEN 'nan'::DOUBLE ELSE (hash(n + 2) % 17) / 17.0 END AS s,\n  \
    CASE WHEN hash(n + 3) % 5 = 0 THEN NULL ELSE (hash(n + 3) % 4)::DOUBLE END AS g,\n  \
    hash(n + 5) % 3 = 0 AS clicked, hash(n + 6) % 7 = 0 AS bought,\n  \
    (hash(n + 8) % 50) / 10.0 AS paid, (hash(n + 9) % 20) / 10.0 AS kept,\n  \
    ['red', 'blue', '绿'][(1 + hash(n + 10) % 3)::BIGINT] AS color, [hash(n + 11) % 5, 1 + hash(n + 12) % 3]::DOUBLE[] AS vector,\n  \
    TIMESTAMP '2026-01-01' + to_days((hash(n + 13) % 90)::INTEGER) AS born, TIMESTAMP '2026-06-01' + to_minutes(n::INTEGER) AS ts,\n  \
    (hash(n + 14) % 9) / 9.0 AS s2, 'red shoe ' || (hash(n + 1) % 4)::VARCHAR AS title,\n  \
    CASE hash(n + 4) % 4 WHEN 0 THEN 'north' WHEN 1 THEN '南' WHEN 2 THEN 'we''st' END AS region\n  \
    FROM range(900) AS t(n))\nORDER BY n\n```\n";

const ROLES: &str = "from = \"log\"\nwhere = \"n % 13 <> 4 -- thinned\"\nquery = \"q\"\nitem = \"item\"\nscore = \"s\"\n\
    gain = \"g\"\nlabel = \"clicked\"\npurchase = \"bought\"\n";

const MORE: &str = "revenue = \"paid\"\nmargin = \"kept\"\ncategory = \"color\"\n\
    embedding = \"vector\"\npublished = \"born\"\ntime = \"ts\"\nother = \"s2\"\n";

/// Metrics that an algorithm in Rust measures, or that need what this log has not.
const NONE: &[&str] = &["rbo", "kendall", "jaccard", "alpha_ndcg", "subtopic_recall"];

fn notebook(cells: &str) -> String {
    format!("---\nrecscope: 1\nschema: {{ text: [title] }}\n---\n{LOG}{cells}")
}

/// Every metric with and without a cut-off.
fn metrics() -> Vec<String> {
    let mut all = Vec::new();
    for metric in METRICS {
        if metric.cutoff != Cutoff::Required {
            all.push(metric.id.to_owned());
        }
        if metric.cutoff != Cutoff::Never {
            all.push(format!("{}@3", metric.id));
        }
    }
    all.dedup();
    all
}

fn recipe(bench: &Bench, cell: &str, metric: &str, predicate: &str) -> Result<String, Problem> {
    let (cell, metric, predicate) = (cell.to_owned(), Some(metric.to_owned()), predicate.to_owned());
    bench.engine.send(Request::Recipe { seq: 7, cell, metric, predicate }).unwrap();
    let seen = bench.until(|event| matches!(event, Event::Recipe { .. }));
    match seen.into_iter().next_back() {
        Some(Event::Recipe { seq: 7, result }) => result,
        other => panic!("{other:?}"),
    }
}

fn table(bench: &Bench, relation: &str) -> RecordBatch {
    let spec = PageSpec { relation: relation.into(), limit: 1000, ..PageSpec::default() };
    let page = bench.page(spec).unwrap();
    let reader = arrow::ipc::reader::StreamReader::try_new(page.ipc.as_slice(), None).unwrap();
    let schema = reader.schema();
    arrow::compute::concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap()).unwrap()
}

fn number(table: &RecordBatch, column: &str, row: usize) -> Option<f64> {
    let column = cast(table.column_by_name(column).unwrap(), &DataType::Float64).unwrap();
    let column = column.as_any().downcast_ref::<Float64Array>().unwrap();
    (!column.is_null(row)).then(|| column.value(row))
}

fn text(table: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = table.column_by_name(column).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
    (!column.is_null(row)).then(|| column.value(row).to_owned())
}

/// A value that was measured, and the cell whose SQL is to make it.
struct Claim {
    cell: String,
    metric: String,
    value: Option<f64>,
    n: Option<u64>,
    rest: Option<f64>,
}

/// Runs the claims' cells and says which do not hold.
fn wrong(bench: &mut Bench, text: &str, claims: &[Claim]) -> Vec<String> {
    bench.sync(text);
    let names: Vec<&str> = claims.iter().map(|claim| claim.cell.as_str()).collect();
    let events = bench.run(&names);
    let mut wrong = Vec::new();
    for claim in claims {
        done(&events, &claim.cell);
        let found = table(bench, &claim.cell);
        let mut hold = |what: &str, found: Option<f64>, value: Option<f64>| {
            let same = match (found, value) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                (a, b) => a.is_none() && b.is_none(),
            };
            if !same {
                wrong.push(format!("{} {}: {what} {found:?} is not {value:?}", claim.cell, claim.metric));
            }
        };
        hold("value", number(&found, &claim.metric, 0), claim.value);
        if let Some(n) = claim.n {
            hold("n", number(&found, "n", 0), Some(n as f64));
        }
        if let Some(rest) = claim.rest {
            hold("rest", number(&found, "rest", 0), Some(rest));
        }
    }
    wrong
}

/// Recipes of every line of a metrics cell.
fn of_metrics(bench: &Bench, cell: &str, by: &[&str], text_of: &mut String) -> Vec<Claim> {
    let measured = table(bench, cell);
    let mut claims = Vec::new();
    for row in 0..measured.num_rows() {
        let metric = text(&measured, "metric", row).unwrap();
        let predicate = by.iter().map(|name| match text(&measured, name, row) {
            Some(value) => format!("\"{name}\" = '{}'", value.replace('\'', "''")),
            None => format!("\"{name}\" IS NULL"),
        });
        let predicate = predicate.collect::<Vec<_>>().join(" AND ");
        let bare = metric.split('@').next().unwrap();
        match recipe(bench, cell, &metric, &predicate) {
            Ok(sql) => {
                let name = format!("{cell}_{row}");
                *text_of += &format!("```sql {name}\n{sql}```\n");
                let n = measured.column_by_name("n").unwrap().as_any().downcast_ref::<UInt64Array>().unwrap();
                let (value, n) = (number(&measured, "value", row), Some(n.value(row)));
                claims.push(Claim { cell: name, metric, value, n, rest: None });
            }
            Err(problem) => {
                assert!(NONE.contains(&bare), "{metric}: {problem}");
                assert!(problem.message.contains("not computed in SQL alone"), "{problem}");
            }
        }
    }
    claims
}

fn holds(cell: &str, by: &[&str], body: &str, least: usize) {
    let mut bench = Bench::new(plain());
    let mut text = notebook(&format!("```metrics {cell}\n{ROLES}{MORE}{body}resamples = 0\n```\n"));
    bench.sync(&text);
    let events = bench.run(&["log", cell]);
    done(&events, cell);
    let claims = of_metrics(&bench, cell, by, &mut text);
    assert!(claims.len() >= least, "{} recipes", claims.len());
    let wrong = wrong(&mut bench, &text, &claims);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All metrics that this log can be asked for.
fn shown() -> String {
    let needs_more = |id: &str| {
        let metric = METRICS.iter().find(|metric| metric.id == id).unwrap();
        metric.needs.iter().any(|need| {
            let need = format!("{need:?}");
            ["Propensity", "Target", "Reward", "Model", "Place", "Click", "Examination"]
                .contains(&need.as_str())
        })
    };
    let all = metrics().into_iter().filter(|metric| !needs_more(metric.split('@').next().unwrap()));
    format!("show = {:?}\n", all.collect::<Vec<_>>())
}

#[test]
fn the_sql_of_a_metric_makes_its_value() {
    holds("all", &[], &shown(), 70);
}

#[test]
fn the_sql_of_a_group_makes_its_value_with_users_too() {
    let body = format!("user = \"person\"\nby = [\"region\"]\n{}", shown());
    holds("groups", &["region"], &body, 280);
}

#[test]
fn conventions_are_in_the_sql() {
    let show = "show = [\"ndcg@3\", \"map@3\", \"map\", \"gmap@3\", \"mrr@3\", \"err@3\", \"recall@3\", \"bpref\"]\n";
    for convention in ["ranx", "recbole", "seed", "esci-paper"] {
        holds(&convention.replace('-', "_"), &[], &format!("convention = \"{convention}\"\n{show}"), 8);
    }
    holds("logged", &[], &format!("ties = \"logged\"\n{show}"), 8);
}

#[test]
fn the_sql_of_a_gap_makes_both_sides() {
    let roles = ROLES.replace("n % 13 <> 4 -- thinned", "n % 13 <> {{left_out}}");
    let mut text = notebook("").replace("recscope: 1\n", "recscope: 1\nparams: { left_out: 4 }\n");
    let metrics = ["ndcg@3", "mrr", "ctr", "auc", "accuracy", "map", "log_loss"];
    let mut cells = vec!["log".to_owned()];
    for (number, metric) in metrics.iter().enumerate() {
        let cell = format!("gap{number}");
        text += &format!(
            "```fairness {cell}\n{roles}metric = \"{metric}\"\nslices = [\"region\", \"region*color\"]\n\
             resamples = 0\npermutations = 0\nmin_support = 1\n```\n"
        );
        cells.push(cell);
    }
    let mut bench = Bench::new(plain());
    bench.sync(&text);
    let events = bench.run(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    let mut claims = Vec::new();
    for (metric, cell) in metrics.iter().zip(&cells[1..]) {
        done(&events, cell);
        let gaps = table(&bench, cell);
        assert!(gaps.num_rows() > 3, "{cell}");
        for row in 0..gaps.num_rows() {
            let predicate = self::text(&gaps, "predicate", row).unwrap();
            let sql = recipe(&bench, cell, metric, &predicate).unwrap();
            assert!(sql.contains("{{left_out}}"), "{sql}");
            let name = format!("{cell}_{row}");
            text += &format!("```sql {name}\n{sql}```\n");
            let (value, delta) = (number(&gaps, "value", row), number(&gaps, "delta", row));
            let rest = value.zip(delta).map(|(value, delta)| value - delta);
            claims.push(Claim { cell: name, metric: (*metric).to_owned(), value, n: None, rest });
        }
    }
    let wrong = wrong(&mut bench, &text, &claims);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sql_of_a_found_slice_makes_both_sides() {
    let mut text = notebook("");
    let metrics = ["ctr", "mrr"];
    let roles = ROLES.replace("purchase = \"bought\"\n", "");
    for metric in metrics {
        text += &format!(
            "```slices {metric}\n{roles}metric = \"{metric}\"\nover = [\"region\", \"color\"]\nmin_support = 5\nalpha = 0.5\ntop = 5\n```\n"
        );
    }
    let mut bench = Bench::new(plain());
    bench.sync(&text);
    let events = bench.run(&["log", "ctr", "mrr"]);
    let mut claims = Vec::new();
    for metric in metrics {
        done(&events, metric);
        let found = table(&bench, metric);
        for row in 0..found.num_rows() {
            let predicate = self::text(&found, "predicate", row).unwrap();
            let sql = recipe(&bench, metric, metric, &predicate).unwrap();
            let name = format!("{metric}_{row}");
            text += &format!("```sql {name}\n{sql}```\n");
            let (value, rest) = (number(&found, "value", row), number(&found, "rest", row));
            claims.push(Claim { cell: name, metric: metric.to_owned(), value, n: None, rest });
        }
    }
    assert!(!claims.is_empty());
    let wrong = wrong(&mut bench, &text, &claims);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_value_is_told() {
    let mut bench = Bench::new(plain());
    bench
        .sync(&notebook("```explain words\nfrom = \"log\"\nmodel = \"m\"\npair = [\"q\", \"title\"]\n```\n"));
    bench.run(&["log"]);
    let problem = recipe(&bench, "log", "mrr", "").unwrap_err();
    assert!(problem.message.contains("no value that SQL can make") && problem.hint.is_some(), "{problem}");
    assert!(recipe(&bench, "nowhere", "mrr", "").unwrap_err().message.contains("nowhere"));
}

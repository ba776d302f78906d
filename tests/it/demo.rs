//! The demo tells the truth: its cells find each planted fault, and do not find it in the same log
//! with the fault taken out.

use recscope::cli::demo::{Faults, write_investigation};
use recscope::cli::run::{RunOptions, run_notebook};
use recscope::protocol::Body;
use recscope::report::{CellReport, RunReport};
use recscope::util::cancel::Cancel;
use serde_json::Value;

fn run(faults: Faults, only: &[&str]) -> RunReport {
    let dir = tempfile::tempdir().unwrap();
    let notebook = write_investigation(dir.path(), faults, &Cancel::new()).unwrap();
    let mut options =
        RunOptions { only: only.iter().map(ToString::to_string).collect(), ..RunOptions::default() };
    options.engine.cache = false;
    let report = run_notebook(&notebook, &[], &options, &mut |_| {});
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

fn cell<'a>(report: &'a RunReport, name: &str) -> &'a CellReport {
    report.cells.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no cell {name}"))
}

/// One cell of the result table, by row and column name.
fn at<'a>(cell: &'a CellReport, row: usize, column: &str) -> &'a Value {
    let result = cell.result.as_ref().unwrap_or_else(|| panic!("{} has no rows", cell.name));
    let index =
        result.columns.iter().position(|c| c.name == column).unwrap_or_else(|| panic!("no column {column}"));
    &result.rows[row][index]
}

/// Groups that a fairness cell calls worse than the rest.
fn worse(cell: &CellReport) -> Vec<String> {
    let rows = cell.result.as_ref().map_or(0, |r| r.rows.len());
    (0..rows)
        .filter(|row| at(cell, *row, "status") == "worse")
        .map(|row| at(cell, row, "value_of").as_str().unwrap_or_default().to_string())
        .collect()
}

#[test]
fn demo_finds_every_planted_fault() {
    let report = run(Faults::ALL, &[]);
    for cell in &report.cells {
        assert_eq!(cell.state, "done", "{}: {:?}", cell.name, cell.error);
    }
    assert_eq!(report.exit, 1, "the planted faults fail the gate");

    // The synonym: south, and nobody else; its running shoes are boots.
    assert_eq!(worse(cell(&report, "regions")), ["south"]);
    let by_category = cell(&report, "south_by_category");
    assert_eq!(at(by_category, 0, "category"), "running_shoes");
    assert_eq!(at(by_category, 0, "mostly_shown"), "hiking_boots");
    assert_eq!(at(by_category, 0, "precision_south").as_f64(), Some(0.0));

    // The supplier, and nobody else.
    assert_eq!(worse(cell(&report, "suppliers")), ["Lotus Outdoor"]);
    assert_eq!(at(cell(&report, "positions"), 0, "supplier"), "Lotus Outdoor");

    // The titles: nearly all that the model loves and the judges reject begin the same way.
    let fooled = cell(&report, "fooled");
    assert_eq!(fooled.rows, Some(1));
    assert_eq!(at(fooled, 0, "title_begins"), "Best Seller");
    let Body::Explain(explanations) = &cell(&report, "why").body else { panic!("why explains nothing") };
    assert_eq!(explanations.len(), 4);
    for explanation in explanations {
        let strongest =
            explanation.words.iter().max_by(|a, b| a.attribution.total_cmp(&b.attribution)).unwrap();
        assert!(
            strongest.side == 1 && strongest.attribution > 0.0,
            "a title word holds the score up: {explanation:?}"
        );
    }

    // A model that has not seen the faults orders the lists better than the engine that has them.
    let ndcg = |name: &str| {
        let cell = cell(&report, name);
        let rows = cell.result.as_ref().map_or(0, |r| r.rows.len());
        (0..rows)
            .find(|r| at(cell, *r, "metric") == "ndcg@10")
            .and_then(|r| at(cell, r, "value").as_f64())
            .unwrap()
    };
    assert!(ndcg("reranked") > ndcg("as_shown") + 0.02);
}

#[test]
fn demo_without_the_synonym_finds_no_region() {
    let report = run(Faults::ALL.without("synonym").unwrap(), &["regions"]);
    assert_eq!(worse(cell(&report, "regions")), [""; 0]);
    assert!(cell(&report, "regions").checks.iter().all(|c| c.ok == Some(true)));
}

#[test]
fn demo_without_the_burial_finds_no_supplier() {
    let report = run(Faults::ALL.without("buried").unwrap(), &["suppliers"]);
    assert_eq!(worse(cell(&report, "suppliers")), [""; 0]);
    assert!(cell(&report, "suppliers").checks.iter().all(|c| c.ok == Some(true)));
}

#[test]
fn demo_without_the_stuffing_fools_nobody() {
    let report = run(Faults::ALL.without("stuffing").unwrap(), &["fooled"]);
    assert_eq!(cell(&report, "fooled").rows, Some(0));
}

#[test]
fn demo_log_is_the_same_every_time() {
    let write = || {
        let dir = tempfile::tempdir().unwrap();
        recscope::cli::demo::write_log(dir.path(), Faults::ALL, 200, 7, &Cancel::new()).unwrap();
        std::fs::read(dir.path().join("impressions.parquet")).unwrap()
    };
    let first = write();
    assert!(first.len() > 10_000);
    assert!(first == write());
}

//! The Chorus notebook on real data with both real models; skipped where they are absent.

use recscope::cli::run::{RunOptions, run_notebook};
use recscope::report::RunReport;

use crate::support::{repo, shared};

fn value(report: &RunReport, cell: &str, metric: &str) -> f64 {
    let cell = report.cells.iter().find(|c| c.name == cell).unwrap();
    let result = cell.result.as_ref().unwrap();
    let column = |name: &str| result.columns.iter().position(|c| c.name == name).unwrap();
    let row = result.rows.iter().find(|r| r[column("metric")] == metric).unwrap();
    row[column("value")].as_f64().unwrap()
}

#[test]
fn chorus_runs_on_real_data() {
    let (Some(data), Some(models)) = (shared("data/chorus-electronics"), shared("models")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let notebook = dir.path().join("chorus.md");
    std::fs::copy(repo("queries/notebooks/chorus.md"), &notebook).unwrap();
    let absolute = |p: std::path::PathBuf| p.canonicalize().unwrap().to_string_lossy().into_owned();
    let params = [("data".to_string(), absolute(data)), ("models".to_string(), absolute(models))];
    let report = run_notebook(&notebook, &params, &RunOptions::default(), &mut |_| {});

    assert!(report.problems.is_empty(), "{:?}", report.problems);
    for cell in &report.cells {
        assert_eq!(cell.state, "done", "{}: {:?}", cell.name, cell.error);
    }
    assert_eq!(report.exit, 0);
    let (bi, cross) = (value(&report, "bi_encoder", "ndcg@10"), value(&report, "cross_encoder", "ndcg@10"));
    println!("ndcg@10: bi-encoder {bi:.4}, cross-encoder {cross:.4}");
    assert!((0.5..1.0).contains(&bi) && (0.5..1.0).contains(&cross));
}

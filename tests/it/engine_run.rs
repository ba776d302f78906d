//! Headless runs: reports and exit codes.

use recscope::cli::run::{RunOptions, run_notebook};
use recscope::engine::lanes::EngineOptions;
use recscope::report::RunReport;
use recscope::util::cancel::Cancel;

use crate::engine_bench::Bench;

fn run(cells: &str, params: &[(String, String)], options: RunOptions) -> RunReport {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shown.csv"), "q,item,pos,grade\n跑鞋,a,1,3\n跑鞋,b,2,0\n").unwrap();
    let path = folder.path().join("nb.md");
    std::fs::write(&path, Bench::notebook(cells)).unwrap();
    run_notebook(&path, params, &options, &mut |_| {})
}

fn plain() -> RunOptions {
    RunOptions {
        engine: EngineOptions { cache: false, ..RunOptions::default().engine },
        ..RunOptions::default()
    }
}

#[test]
fn rows_prose_and_figures_are_reported() {
    let cells = "# Shoes\n\nWhy?\n\n```sql a\nSELECT item, pos, grade / 2 AS half, 'NaN'::DOUBLE AS nan, [1, 2] AS list FROM shown\n```\n";
    let report = run(cells, &[("k".into(), "7".into())], RunOptions { result_rows: 1, ..plain() });
    assert_eq!((report.exit, report.ok), (0, true), "{report:#?}");
    assert_eq!(report.title.as_deref(), Some("Shoes"));
    assert_eq!(report.params, [("k".to_owned(), "7".to_owned())]);
    let cell = &report.cells[0];
    assert_eq!((cell.state.as_str(), cell.rows), ("done", Some(2)));
    assert!(cell.prose.ends_with("Why?") && cell.source.starts_with("SELECT item"));
    let result = cell.result.as_ref().unwrap();
    assert!(result.truncated);
    assert_eq!(serde_json::to_string(&result.rows).unwrap(), r#"[["a",1,1.5,"NaN","[1, 2]"]]"#);
}

#[test]
fn exit_codes_say_what_kind_of_trouble_it_was() {
    let metrics = |check: &str| {
        format!(
            "```metrics m\nfrom = \"shown\"\nrank = \"pos\"\nshow = [\"mrr\"]\nresamples = 0\ncheck = [\"{check}\"]\n```\n"
        )
    };
    let exit = |cells: &str| run(cells, &[], plain()).exit;
    assert_eq!(exit(&metrics("mrr >= 0.1")), 0);
    assert_eq!(exit(&metrics("mrr >= 2")), 1);
    assert_eq!(exit("```sql a\nSELEC 1\n```\n"), 2);
    assert_eq!(exit("```metrics m\nfrm = \"shown\"\n```\n"), 2);
    assert_eq!(exit("```sql a\nSELECT nope FROM shown\n```\n"), 3);
    assert_eq!(exit("```score s\nfrom = \"shown\"\nmodel = \"nowhere\"\ntext = \"q\"\n```\n"), 3);
    let report = run("```sql a\nSELECT 1\n```\n", &[("nope".into(), "1".into())], plain());
    assert_eq!(report.exit, 2);
    assert!(report.problems[0].message.contains("nope"), "{report:?}");
    assert_eq!(report.cells[0].state, "queued");
    let missing = run_notebook(std::path::Path::new("/no/such.md"), &[], &plain(), &mut |_| {});
    assert_eq!(missing.exit, 2);
}

#[test]
fn only_some_cells_run_with_what_they_need() {
    let cells = "```sql a\nSELECT 1 AS x\n```\n```sql b\nFROM a\n```\n```sql c\nSELECT 3\n```\n";
    let report = run(cells, &[], RunOptions { only: vec!["b".into()], ..plain() });
    let names: Vec<_> = report.cells.iter().map(|cell| (cell.name.as_str(), cell.state.as_str())).collect();
    assert_eq!(names, [("a", "done"), ("b", "done")]);
    assert_eq!(run(cells, &[], RunOptions { only: vec!["zz".into()], ..plain() }).exit, 2);
}

#[test]
fn a_cancelled_run_exits_130() {
    let cancel = Cancel::new();
    cancel.cancel();
    let endless = "```sql a\nSELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0\n```\n";
    let report = run(endless, &[], RunOptions { cancel, ..plain() });
    assert_eq!((report.exit, report.cells[0].state.as_str()), (130, "cancelled"));
}

//! Compare cells in the engine: results, checks that name differences, details, and mistakes with a way
//! out.

use recscope::cli::run::{RunOptions, run_notebook};
use recscope::engine::lanes::EngineOptions;
use recscope::report::{CellReport, RunReport};

/// 40 queries of five items; `new` follows the grade, `old` does not, `shown` is the rank of `old`.
fn run(cells: &str) -> RunReport {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::from("q,item,shown,grade,old,new,region\n");
    for q in 0..40 {
        for i in 0..5 {
            let grade = (q + 3 * i) % 5;
            let region = ["south", "north"][q % 2];
            log += &format!("跑鞋{q},i{i},{},{grade},{},{}.5,{region}\n", i + 1, 5 - i, grade);
        }
    }
    std::fs::write(folder.path().join("log.csv"), log).unwrap();
    let front = "---\nrecscope: 1\nparams: { k: 3 }\nsources: { log: log.csv }\n\
                 schema: { query: q, item: item, position: shown, gain: grade }\n---\n";
    let path = folder.path().join("nb.md");
    std::fs::write(&path, format!("{front}{cells}")).unwrap();
    let options = RunOptions {
        engine: EngineOptions { cache: false, ..RunOptions::default().engine },
        ..RunOptions::default()
    };
    run_notebook(&path, &[], &options, &mut |_| {})
}

fn cell<'r>(report: &'r RunReport, name: &str) -> &'r CellReport {
    report.cells.iter().find(|cell| cell.name == name).unwrap()
}

fn column(cell: &CellReport, name: &str) -> Vec<serde_json::Value> {
    let result = cell.result.as_ref().unwrap();
    let at = result.columns.iter().position(|column| column.name == name).unwrap();
    result.rows.iter().map(|row| row[at].clone()).collect()
}

#[test]
fn scores_of_one_relation_are_compared_and_checked() {
    let report = run(
        "```compare cmp\nfrom = \"log\"\nscores = [\"shown\", \"old\", \"new\"]\nshow = [\"ndcg@{{k}}\", \"mrr\"]\n\
         by = [\"region\"]\npermutations = 499\ninterval = \"bca\"\n\
         check = [\"delta(new, shown) > 0 at 0.97\", \"max_loss <= 0.01 unless p_adjusted > 0.05\"]\n```\n\
         ```check gate\ncheck = [\"delta(cmp.new, cmp.shown, MRR) > 0 at 0.9 and delta(cmp.shown, old) == 0\", \
         \"lower(delta(cmp.new, shown)) > 0.05\"]\n```\n\
         ```sql better\nSELECT run FROM cmp WHERE status = 'better' AND slice = 'all'\n```\n",
    );
    assert_eq!((report.exit, report.ok), (0, true), "{report:#?}");
    let cmp = cell(&report, "cmp");
    assert_eq!(cmp.rows, Some(12));
    assert_eq!(column(cmp, "run")[..4], ["old", "old", "new", "new"].map(serde_json::Value::from));
    assert_eq!(column(cmp, "delta")[0], 0.0, "the rank that was shown is the order of old");
    let better = cell(&report, "better").rows;
    assert!(better.is_some_and(|rows| rows >= 1), "{better:?}: {cmp:#?}");
    let notes = cmp.notes.join("\n");
    assert!(notes.contains("BCa bootstrap") && notes.contains("Holm over the 12 tests"), "{notes}");
}

#[test]
fn relations_are_compared_and_details_show_both_lists() {
    let runs = "```sql a\nSELECT *, old AS s FROM log WHERE q <> '跑鞋7'\n```\n```sql b\nSELECT *, new AS s FROM log\n```\n";
    let keys = "runs = [\"a\", \"b\"]\nscore = \"s\"\nshow = [\"ndcg@3\"]\nwhere = \"region = 'south' or q = '跑鞋7'\"\n";
    let report = run(&format!(
        "{runs}```compare cmp\n{keys}resamples = 50\ncheck = [\"n(delta(b, a)) == 20\"]\n```\n\
         ```compare moved\n{keys}detail = \"queries\"\ntop_queries = 3\n```\n\
         ```compare lists\n{keys}detail = \"lists\"\ntop_queries = 2\n```\n"
    ));
    assert_eq!((report.exit, report.ok), (0, true), "{report:#?}");
    assert!(cell(&report, "cmp").notes.join("\n").contains("1 lists of b are not in a"));
    let moved = cell(&report, "moved");
    assert_eq!(moved.rows, Some(3));
    let top = column(moved, "top")[0].as_str().unwrap().to_owned();
    assert!(top.contains("(4)") && top.matches(", ").count() == 2, "{top}");
    let lists = cell(&report, "lists");
    assert_eq!(lists.rows, Some(6));
    assert_eq!(column(lists, "rank")[..3], [1, 2, 3].map(serde_json::Value::from));
    assert_eq!(column(lists, "gain")[0], 4.0);
    assert_eq!(column(lists, "baseline_item")[..3], ["i0", "i1", "i2"].map(serde_json::Value::from));
}

#[test]
fn mistakes_are_met_with_a_way_out() {
    let said = |body: &str| {
        let report = run(&format!("```compare cmp\n{body}```\n"));
        assert_ne!(report.exit, 0, "{body}");
        assert_ne!(report.exit, 70, "{body}");
        format!("{:?} {:?}", report.problems, cell(&report, "cmp").error)
    };
    for (body, wanted) in [
        ("from = \"log\"\nscores = [\"old\", \"nwe\"]\n", "did you mean new?"),
        ("from = \"log\"\nscores = [\"old\", \"new\"]\nby = [\"regoin\"]\n", "did you mean region?"),
        ("from = \"log\"\nscores = [\"old\", \"new\"]\nshow = [\"ndgc@3\"]\n", "did you mean ndcg@3?"),
        (
            "from = \"log\"\nscores = [\"old\", \"new\"]\ncheck = [\"delta(nwe, old) > 0\"]\n",
            "did you mean `new`?",
        ),
        ("runs = [\"log\", \"logg\"]\n", "did you mean `log`?"),
        ("from = \"log\"\nscores = [\"old\"]\n", "at least two"),
        ("from = \"log\"\nscores = [\"shown\", \"new\"]\nshow = [\"auc\"]\n", "score"),
    ] {
        let found = said(body);
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
    let report = run(
        "```compare cmp\nfrom = \"log\"\nscores = [\"old\", \"new\"]\ncheck = [\"delta(new, old) > 0 at 0.9\", \"dleta > 0\"]\n```\n\
                      ```check gate\ncheck = [\"delta(cmp.new, cmp.old) > 0 at 0.77\"]\n```\n",
    );
    assert_eq!(report.exit, 1);
    let reasons = format!("{:?} {:?}", cell(&report, "cmp").checks, cell(&report, "gate").checks);
    assert!(reasons.contains("did you mean delta"), "{reasons}");
    assert!(reasons.contains("kept at 0.8, 0.9, 0.95"), "{reasons}");
}

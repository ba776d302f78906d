//! `slices` cells in the engine: rows, figures for checks, notes, faults with their place.

use recscope::protocol::ProblemKind;

use crate::engine_bench::{Bench, done, failed, plain};

/// 1,600 searches of two rows; clicks are rare in the south on phones.
const LOG: &str = "```sql log\nSELECT s AS search, p AS pos, s * 2 + p AS item, region, device, [1] AS odd,\n  \
    (md5_number_lower(concat(s, '/', p)) >> 11)::DOUBLE / 9007199254740992.0\n    \
    < CASE WHEN region = 'south' AND device = 'phone' THEN 0.1 ELSE 0.6 END AS clicked\n\
    FROM (SELECT s, p, ['north', 'south', '西'][1 + s % 3] AS region, ['phone', 'desktop'][1 + s // 3 % 2] AS device\n  \
    FROM range(1600) AS a(s), range(1, 3) AS b(p))\n```\n";

fn cell(name: &str, metric: &str, more: &str) -> String {
    format!(
        "```slices {name}\nfrom = \"log\"\nquery = \"search\"\nitem = \"item\"\nrank = \"pos\"\nlabel = \"clicked\"\n\
         metric = \"{metric}\"\n{more}```\n"
    )
}

#[test]
fn a_slices_cell_finds_checks_and_tells() {
    let mut bench = Bench::new(plain());
    let found = cell(
        "found",
        "ctr",
        "check = [\"confirmed == 0\", \"worst_gap > 0.3\", \"found >= 1\", \"p_adjusted < 0.01\", \"tested > 5\"]\n",
    );
    let none = cell(
        "none",
        "mrr",
        "where = \"region <> 'south'\"\ncheck = [\"found == 0\", \"worst_gap <= 0.1\"]\n",
    );
    bench.sync(&Bench::notebook(&format!("{LOG}{found}{none}")));
    let events = bench.run(&["log", "found", "none"]);

    let outcome = done(&events, "found");
    let ok: Vec<Option<bool>> = outcome.checks.iter().map(|check| check.ok).collect();
    assert_eq!(ok, [Some(false), Some(true), Some(true), Some(true), Some(true)], "{:?}", outcome.checks);
    let behind = outcome.checks[1].rows_sql.as_deref().unwrap();
    assert!(behind.contains("\"device\" = 'phone'") && behind.contains("\"region\" = 'south'"), "{behind}");
    let notes = outcome.notes.join("\n");
    assert!(notes.contains("slices of up to 3 predicates tested"), "{notes}");
    assert!(notes.contains("not sliced by odd: of type INTEGER[]"), "{notes}");
    let rows = bench.rows("found");
    assert!(rows[0].starts_with("region = south and device = phone|"), "{rows:?}");
    assert!(rows[0].contains("|worse|region = south: -"), "{rows:?}");

    let outcome = done(&events, "none");
    assert!(
        outcome.checks.iter().all(|check| check.ok == Some(true)),
        "{:?} {:?}",
        outcome.checks,
        outcome.notes
    );
    assert_eq!(bench.rows("none"), [""; 0]);
}

#[test]
fn faults_of_a_slices_cell_have_their_place() {
    let mut bench = Bench::new(plain());
    let over = cell("over", "ctr", "over = [\"regoin\"]\n");
    let curve = cell("curve", "coverage", "");
    let made_of = cell("made_of", "ctr", "over = [\"clicked\"]\n");
    bench.sync(&Bench::notebook(&format!("{LOG}{over}{curve}{made_of}")));
    let events = bench.run(&["log", "over", "curve", "made_of"]);
    let problem = failed(&events, "over");
    assert_eq!((problem.line, problem.column), (Some(7), Some(10)), "{problem:?}");
    assert!(problem.hint.as_deref().unwrap().contains("region"), "{problem:?}");
    let problem = failed(&events, "curve");
    assert!(problem.message.contains("no value per list or row"), "{problem:?}");
    assert_ne!(problem.kind, ProblemKind::Bug);
    assert!(failed(&events, "made_of").message.contains("made of clicked"));
}

//! Cancelling: acknowledged, ended, harmless when late; and what is left of a scoring job.

use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{Body, CellState, Event, Request, RowCount};

use crate::engine_bench::{Bench, done, last, plain, story};
use crate::tiny_model::{self, Tiny};

const ENDLESS: &str =
    "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0";

#[test]
fn a_cross_product_is_stopped_and_the_engine_goes_on() {
    let mut bench = Bench::new(plain());
    bench.sync(&format!(
        "```sql endless\n{ENDLESS}\n```\n```sql after\nFROM endless\n```\n```sql fine\nSELECT 1\n```\n"
    ));
    let job = bench.start(&["endless", "after"]);
    bench.until(|event| matches!(event, Event::Cell { state: CellState::Running(_), .. }));
    bench.engine.send(Request::Cancel { job }).unwrap();
    let events = bench.until_ended(job);
    let told: Vec<_> =
        events.iter().filter(|e| matches!(e, Event::Cancelling { job: j } if *j == job)).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        story(&events),
        ["endless cancelled, kept false", "after cancelled, kept false", "ended false"]
    );

    // Late and unknown ones do nothing.
    bench.engine.send(Request::Cancel { job }).unwrap();
    bench.engine.send(Request::Cancel { job: 77 }).unwrap();
    let events = bench.run(&["fine"]);
    done(&events, "fine");
    assert!(!events.iter().any(|event| matches!(event, Event::Cancelling { .. })));
}

#[test]
fn a_waiting_job_ends_at_once_and_never_runs() {
    let mut bench = Bench::new(plain());
    bench.sync(&format!("```sql endless\n{ENDLESS}\n```\n```sql fine\nSELECT 1\n```\n"));
    let first = bench.start(&["endless"]);
    let second = bench.start(&["fine"]);
    bench.engine.send(Request::Cancel { job: second }).unwrap();
    let events = bench.until_ended(second);
    assert_eq!(last(&events, "fine"), &CellState::Cancelled(None));
    bench.engine.send(Request::Cancel { job: first }).unwrap();
    let events = bench.until_ended(first);
    assert!(!story(&events).iter().any(|line| line.starts_with("fine")));
}

#[test]
fn a_job_that_does_not_stop_is_told() {
    // Zero patience: whatever still runs when the desk looks is late.
    let mut bench = Bench::new(EngineOptions { stuck_ms: 0, ..plain() });
    bench.sync(&format!("```sql endless\n{ENDLESS}\n```\n"));
    let job = bench.start(&["endless"]);
    bench.until(|event| matches!(event, Event::Cell { state: CellState::Running(_), .. }));
    bench.engine.send(Request::Cancel { job }).unwrap();
    let events = bench.until_ended(job);
    let faults: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Fault { problem } => Some(problem.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("restarted"));
}

#[test]
fn scored_rows_of_a_stopped_job_are_kept_and_marked() {
    let mut bench = Bench::new(plain());
    tiny_model::write(&bench.folder.path().join("m"), &Tiny::default());
    bench.sync(&Bench::notebook(
        "```sql many\nSELECT i, 'red shoes ' || i AS a, 'running boots ' || (i * 7) AS b \
         FROM range(400000) t(i)\n```\n\
         ```score rel\nfrom = \"many\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n```\n\
         ```sql top\nFROM rel\n```\n",
    ));
    let job = bench.start(&["many", "rel", "top"]);
    bench.until(|event| match event {
        Event::Cell { cell, state: CellState::Running(progress), .. } => cell == "rel" && progress.done > 0,
        _ => false,
    });
    bench.engine.send(Request::Cancel { job }).unwrap();
    let events = bench.until_ended(job);
    let CellState::Cancelled(Some(kept)) = last(&events, "rel") else { panic!("{:?}", last(&events, "rel")) };
    assert!(kept.partial);
    let rows = kept.relation.as_ref().unwrap().rows.known();
    assert!(rows > 0 && rows < 400_000, "{rows}");
    assert!(kept.notes.iter().any(|note| note.contains("of 400000 rows")), "{:?}", kept.notes);
    assert!(matches!(&kept.body, Body::Score(summary) if summary.rows == rows));
    assert_eq!(last(&events, "top"), &CellState::Cancelled(None));
    // What is there can be read, and every row of it has a score.
    bench.sync(&Bench::notebook("```sql rel\nSELECT 1\n```\n"));
    let page = recscope::protocol::PageSpec {
        relation: "rel".into(),
        limit: 1,
        filter: Some("rel_score IS NULL".into()),
        ..Default::default()
    };
    assert_eq!(bench.page(page).unwrap().total, RowCount::Exact(0));
}

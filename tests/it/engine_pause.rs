//! A scoring job that is paused, resumed and cancelled; what goes on beside it, what waits for it, what it
//! tells of itself, and which rows it begins with.

use std::time::Duration;

use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{
    Body, CellState, Event, FirstRows, JobId, PageSpec, Progress, Request, RowCount, ScoreSummary,
};

use crate::engine_bench::{Bench, done, last, lines, plain, story};
use crate::tiny_model::{self, Tiny};

/// More rows than one stretch has; most texts come once.
const MANY: &str = "SELECT i, 'red shoes ' || (i % 90000) AS a, 'running boots ' || (i % 90000) * 7 AS b, \
                    CASE WHEN i % 1000 = 5 THEN NULL ELSE 'x' END AS c FROM range(130000) t(i)";

fn bench(options: EngineOptions) -> Bench {
    let bench = Bench::new(options);
    tiny_model::write(&bench.folder.path().join("m"), &Tiny::default());
    let score = |name: &str, from: &str| {
        format!("```score {name}\nfrom = \"{from}\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n```\n")
    };
    bench.sync(&Bench::notebook(&format!(
        "```sql many\n{MANY}\n```\n{}```sql top\nSELECT count(*) AS n, count(rel_score) AS scored, \
         sum(hash(i, rel_score)::HUGEINT)::VARCHAR AS mark FROM rel\n```\n\
         ```sql few\nFROM many LIMIT 3\n```\n{}```sql fine\nFROM shown\n```\n",
        score("rel", "many"),
        score("other", "few"),
    )));
    bench
}

fn running<'e>(event: &'e Event, name: &str) -> Option<&'e Progress> {
    match event {
        Event::Cell { cell, state: CellState::Running(progress), .. } if cell == name => Some(progress),
        _ => None,
    }
}

/// Starts scoring and pauses it when some rows are done.
fn paused(bench: &mut Bench) -> (JobId, Progress) {
    let job = bench.start(&["many", "rel", "top"]);
    bench.until(|event| running(event, "rel").is_some_and(|p| p.done > 0));
    bench.engine.send(Request::Pause { job }).unwrap();
    let mut seen = bench.until(|event| matches!(event, Event::Cell { state: CellState::Paused(_), .. }));
    match seen.pop() {
        Some(Event::Cell { state: CellState::Paused(progress), .. }) => (job, progress),
        other => panic!("{other:?}"),
    }
}

fn summary(events: &[Event]) -> ScoreSummary {
    match &done(events, "rel").body {
        // Speed is of the day, all else of the rows.
        Body::Score(found) => ScoreSummary { tokens_per_second: 0.0, ..found.clone() },
        other => panic!("{other:?}"),
    }
}

#[test]
fn paused_and_resumed_it_ends_as_if_it_had_never_been() {
    let mut straight = bench(plain());
    let events = straight.run(&["many", "rel", "top"]);
    let (wanted, rows) = (summary(&events), straight.rows("top"));
    assert_eq!((wanted.rows, wanted.unique_inputs), (130_000, 90_000));

    let mut bench = bench(plain());
    let (job, progress) = paused(&mut bench);
    assert!(progress.done > 0 && progress.done < 130_000 && progress.phase == "scoring", "{progress:?}");
    let said = bench.engine.events().recv_timeout(Duration::from_millis(400));
    assert!(said.is_err(), "paused, it tells nothing: {said:?}");
    for _ in 0..2 {
        bench.engine.send(Request::Resume { job }).unwrap();
        bench.until(|event| running(event, "rel").is_some_and(|p| p.scoring.is_some()));
        bench.engine.send(Request::Pause { job }).unwrap();
        bench.until(|event| matches!(event, Event::Cell { state: CellState::Paused(_), .. }));
    }
    bench.engine.send(Request::Resume { job }).unwrap();
    let events = bench.until_ended(job);
    assert_eq!(summary(&events), wanted);
    assert_eq!(bench.rows("top"), rows);
    assert!(rows[0].starts_with("130000|130000|"), "{rows:?}");
}

#[test]
fn what_needs_no_model_and_reads_nothing_of_it_goes_on() {
    let mut bench = bench(plain());
    let (first, _) = paused(&mut bench);
    let scoring = bench.start(&["few", "other"]);
    let below = bench.start(&["top"]);
    let events = bench.run(&["fine"]);
    assert_eq!(done(&events, "fine").relation.as_ref().unwrap().rows, RowCount::Exact(5));
    let told = story(&events);
    let begun = |line: &&String| !line.ends_with("queued") && !line.starts_with("ended");
    assert_eq!(told.iter().filter(begun).collect::<Vec<_>>(), ["fine done 5 rows []"]);
    assert_eq!(bench.rows("shown").len(), 5, "pages are answered");
    // A new text of the notebook leaves the paused cell alone.
    bench.sync(&Bench::notebook("```sql fine\nSELECT 1 AS x\n```\n"));
    let events = bench.run(&["fine"]);
    assert_eq!(done(&events, "fine").relation.as_ref().unwrap().rows, RowCount::Exact(1));

    // What waits leaves the queue at once, and the rest of it comes in its order.
    bench.engine.send(Request::Cancel { job: scoring }).unwrap();
    let events = bench.until_ended(scoring);
    assert_eq!(last(&events, "other"), &CellState::Cancelled(None));
    bench.engine.send(Request::Resume { job: first }).unwrap();
    let events = bench.until_ended(below);
    let ends: Vec<JobId> = events
        .iter()
        .filter_map(|event| match event {
            Event::JobEnded { job, .. } => Some(*job),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [first, below]);
    assert_eq!(summary(&events).rows, 130_000);
}

#[test]
fn cancelled_while_paused_it_keeps_its_rows_and_the_engine_goes_on() {
    let mut bench = bench(plain());
    let (job, progress) = paused(&mut bench);
    bench.engine.send(Request::Cancel { job }).unwrap();
    let events = bench.until_ended(job);
    assert_eq!(story(&events), ["rel cancelled, kept true", "top cancelled, kept false", "ended false"]);
    let CellState::Cancelled(Some(kept)) = last(&events, "rel") else { panic!("{events:?}") };
    assert!(kept.partial);
    assert_eq!(kept.relation.as_ref().unwrap().rows, RowCount::Exact(progress.done));
    let events = bench.run(&["few", "other"]);
    assert_eq!(done(&events, "other").relation.as_ref().unwrap().rows, RowCount::Exact(3));
}

#[test]
fn an_engine_ends_with_a_paused_job() {
    let mut bench = bench(plain());
    let (job, _) = paused(&mut bench);
    bench.engine.send(Request::Shutdown).unwrap();
    let events = bench.until_ended(job);
    assert!(matches!(last(&events, "rel"), CellState::Cancelled(Some(_))));
    let mut left = bench.engine.events().iter();
    assert!(left.all(|event| !matches!(event, Event::JobEnded { .. })), "it ends once");
}

#[test]
fn the_rows_in_view_come_first() {
    let live = EngineOptions { live_ms: Some(50), ..plain() };
    let mut straight = bench(plain());
    straight.run(&["many", "rel", "top"]);

    let mut bench = bench(live);
    bench.run(&["many"]);
    let rows = PageSpec {
        relation: "many".into(),
        offset: 10,
        limit: 15,
        filter: Some("i < 89900".into()),
        order: Some("i DESC".into()),
        columns: None,
    };
    let first = FirstRows { cell: "rel".into(), rows: rows.clone() };
    let job = bench.start_with(&["rel", "top"], vec![first]);
    let mut seen = bench.until(
        |event| matches!(event, Event::Cell { cell, state: CellState::Partial(_), .. } if cell == "rel"),
    );
    let Some(Event::Cell { state: CellState::Partial(outcome), .. }) = seen.pop() else { panic!() };
    assert_eq!(outcome.relation.as_ref().unwrap().rows, RowCount::Exact(15), "they alone, at once");
    let events = bench.until_ended(job);
    assert_eq!(summary(&events).unique_inputs, 90_000, "and no input was computed twice");
    assert_eq!(bench.rows("top"), straight.rows("top"), "in which order makes no difference");
    // What cannot be found is not missed.
    let nowhere = PageSpec { relation: "gone".into(), ..rows };
    let job = bench.start_with(&["few", "other"], vec![FirstRows { cell: "other".into(), rows: nowhere }]);
    done(&bench.until_ended(job), "other");
}

#[test]
fn progress_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let keep = || {
        let folder = Some(dir.path().to_path_buf());
        let score_cache = recscope::engine::model::cache::CacheOptions { folder, ..Default::default() };
        EngineOptions { cache: true, score_cache, ..plain() }
    };
    let mut bench = bench(keep());
    let events = bench.run(&["many", "rel"]);
    let told: Vec<&Progress> = events.iter().filter_map(|event| running(event, "rel")).collect();
    let scoring: Vec<_> = told.iter().filter_map(|p| p.scoring.as_ref().map(|s| (*p, s))).collect();
    assert!(!scoring.is_empty());
    for (progress, scoring) in &scoring {
        assert!(progress.done <= 130_000 && progress.total == Some(130_000));
        assert!(scoring.tokens_done <= scoring.tokens_total, "{scoring:?}");
        assert!(scoring.inputs_done <= scoring.inputs_total, "{scoring:?}");
        assert!(progress.eta_ms.is_none() || scoring.tokens_per_second > 0.0, "{progress:?}");
        assert_eq!((scoring.device.as_str(), scoring.dtype.as_str()), ("cpu", "f32"));
        assert!(scoring.rss_bytes > 1 << 20);
    }
    let tokens = summary(&events).tokens;
    let exact = scoring.iter().filter(|(_, s)| !s.estimated);
    assert!(exact.clone().all(|(_, s)| s.tokens_total == tokens && s.inputs_total == 90_000));
    // Once a text or two have been tokenised, the estimate is near: texts here are of one kind.
    let (_, middle) = scoring[scoring.len() / 2];
    let share = middle.tokens_total as f64 / tokens as f64;
    assert!((0.5..2.5).contains(&share), "{share}");

    let mut again = self::bench(keep());
    let page = |bench: &Bench| {
        lines(&bench.page(PageSpec { relation: "rel".into(), limit: 50, ..Default::default() }).unwrap())
    };
    let rows = page(&bench);
    let events = again.run(&["many", "rel"]);
    let found = summary(&events);
    assert_eq!((found.tokens, found.cached_rows, found.cached_inputs), (0, 130_000, 90_000));
    assert_eq!(page(&again), rows);
}

//! Running, stopping, partial results, and an engine that ends.

use super::{SHOES, driver, info, ran};
use crate::protocol::{CellState, Event, Outcome, Progress, Request};
use crate::screen::app::fake::{self, Driver};
use crate::screen::app::{Effect, Msg, RunState};

#[test]
fn running_a_cell_runs_first_what_it_reads() {
    let mut d = driver();
    d.keys("j r");
    assert_eq!(d.app.focused_cell(), Some("rel"));
    assert_eq!(ran(&d.sent()), [["bad", "rel"]]);
    assert_eq!(d.app.run("bad").map(|r| r.state.clone()), Some(RunState::Queued));
    assert!(d.app.wants_tick().is_some());
    d.finish(info);
    assert_eq!(d.app.run("rel").map(|r| r.state.clone()), Some(RunState::Done));
    assert_eq!(d.app.wants_tick(), None, "nothing moves any more");
    d.keys("r");
    assert_eq!(ran(&d.sent()), [["rel"]], "what is fresh is not run again");
}

#[test]
fn cheap_cells_that_were_run_follow_the_cells_above_them() {
    let mut d = Driver::auto(&format!("{SHOES}\n```explain why\nfrom = \"rel\"\n```\n"));
    d.keys("j r");
    assert_eq!(ran(&d.sent()), [["bad", "rel"]], "by_region was never run: nobody waits for it");
    d.finish(info);
    d.keys("R");
    d.finish(info);
    d.sent();
    d.keys("r");
    assert_eq!(ran(&d.sent()), [["rel", "by_region"]], "the table fills up while the model scores");
    d.finish(info);
    let stale = |d: &Driver, cell| d.app.run(cell).is_some_and(|r| r.stale);
    assert!(!stale(&d, "by_region"));
    assert!(stale(&d, "why"), "an explanation waits for a key");
    // Without the setting nothing follows, and what is left behind says so.
    d.app.auto_run = false;
    d.keys("r");
    assert_eq!(ran(&d.sent()), [["rel"]]);
    d.finish(info);
    assert!(stale(&d, "by_region"));
}

#[test]
fn run_all_and_run_from_here() {
    let mut d = driver();
    d.keys("R");
    assert_eq!(ran(&d.sent()), [["bad", "rel", "by_region"]]);
    d.keys("R");
    assert!(ran(&d.sent()).is_empty(), "already running");
    d.finish(info);
    d.keys("j b");
    assert_eq!(ran(&d.sent()), [["rel", "by_region"]]);
}

#[test]
fn ctrl_c_stops_a_job_and_never_quits_while_one_runs() {
    let mut d = driver();
    d.keys("R ctrl-c");
    assert!(d.sent().iter().any(|r| matches!(r, Request::Cancel { job: 1 })));
    assert!(!d.app.quitting);
    d.send(Msg::Tick { now_ms: 100 });
    d.send(Msg::Tick { now_ms: 3_200 });
    assert!(d.effects.contains(&Effect::KillEngine), "three seconds are enough");
    d.send(Msg::EngineGone("killed".into()));
    assert!(d.effects.contains(&Effect::StartEngine));
    assert!(!d.app.is_running());
    d.keys("ctrl-c");
    assert!(!d.app.quitting, "with nothing to stop it says so");
}

#[test]
fn an_engine_that_died_comes_back_with_its_results() {
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    d.keys("j j r");
    let running = CellState::Running(Progress::default());
    d.send(Msg::Engine(Event::Cell { job: 2, cell: "by_region".into(), state: running }));
    d.effects.clear();
    d.send(Msg::EngineGone("out of memory".into()));
    assert!(matches!(d.app.run("by_region").unwrap().state, RunState::Failed(_)));
    assert_eq!(d.effects, [Effect::StartEngine]);
    d.effects.clear();
    d.send(Msg::EngineStarted);
    let sent = d.sent();
    assert!(matches!(sent.first(), Some(Request::Sync { .. })));
    assert_eq!(ran(&sent), [["bad", "rel"]], "finished results come from the sidecar");
    d.finish(info);
    let said = d.app.status.as_ref().unwrap();
    assert!(said.text.contains("out of memory"), "still to be read: {said:?}");
    for _ in 0..4 {
        d.send(Msg::EngineGone("again".into()));
    }
    assert_eq!(d.effects.iter().filter(|e| **e == Effect::StartEngine).count(), 3, "it gives up");
}

#[test]
fn partial_rows_refresh_while_a_job_runs_and_settle_when_it_ends() {
    let mut d = driver();
    d.keys("R G enter");
    let outcome = Outcome { partial: true, ..fake::outcome(fake::fairness_info("by_region")) };
    let partial = CellState::Partial(Box::new(outcome));
    d.send(Msg::Engine(Event::Cell { job: 1, cell: "by_region".into(), state: partial.clone() }));
    assert!(d.app.run("by_region").unwrap().is_partial());
    let asked = d.sent().iter().filter(|r| matches!(r, Request::Page { .. })).count();
    assert_eq!(asked, 1, "its rows are asked for at once");
    d.send(Msg::Engine(Event::Cell { job: 1, cell: "by_region".into(), state: partial }));
    let asked = d.sent().iter().filter(|r| matches!(r, Request::Page { .. })).count();
    assert_eq!(asked, 1, "and again when there are more");
    d.finish(info);
    assert!(d.app.run("by_region").unwrap().is_fresh());
}

//! Running, stopping, partial results, and an engine that ends.

use super::{SHOES, driver, info, ran};
use crate::protocol::{CellState, Event, FirstRows, Outcome, Progress, Request};
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
    d.send(Msg::EngineGone("its process ended (signal: 9 (SIGKILL))".into()));
    assert!(d.effects.contains(&Effect::StartEngine));
    let said = d.app.status.clone().unwrap();
    assert!(said.text.starts_with("stopped") && !said.text.contains("SIGKILL"), "{said:?}");
    assert!(d.app.runs.values().all(|run| run.state == RunState::Cancelled), "stopped, not failed");
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

fn told(job: u64, cell: &str, state: CellState) -> Msg {
    Msg::Engine(Event::Cell { job, cell: cell.into(), state })
}

#[test]
fn p_holds_a_scoring_job_and_lets_it_go_on() {
    let mut d = driver();
    d.keys("p");
    assert!(d.sent().is_empty(), "nothing to pause");
    d.keys("j r p");
    assert!(!d.sent().iter().any(|r| matches!(r, Request::Pause { .. })), "it does not score yet");
    d.send(told(1, "rel", CellState::Running(Progress { elapsed_ms: 700, ..Progress::default() })));
    d.keys("p");
    assert_eq!(d.sent(), [Request::Pause { job: 1 }]);
    d.send(told(1, "rel", CellState::Paused(Progress { elapsed_ms: 700, ..Progress::default() })));
    d.send(Msg::Tick { now_ms: 5_000 });
    d.send(Msg::Tick { now_ms: 6_000 });
    let Some(RunState::Paused(progress)) = d.app.run("rel").map(|r| r.state.clone()) else { panic!() };
    assert_eq!(progress.elapsed_ms, 700, "its clock stands");
    assert_eq!(d.app.wants_tick(), Some(1_000), "and so does nearly everything else");
    d.sent();
    d.keys("r");
    assert!(ran(&d.sent()).is_empty(), "a paused cell is not run a second time");
    d.keys("p");
    assert_eq!(d.sent(), [Request::Resume { job: 1 }]);
    d.keys("p ctrl-c");
    assert_eq!(d.sent(), [Request::Pause { job: 1 }, Request::Cancel { job: 1 }], "stopped while paused");
    d.keys("q down enter");
    assert!(!d.app.quitting);
    d.keys("q enter");
    assert!(d.app.quitting && d.sent().contains(&Request::Shutdown));
}

#[test]
fn what_waits_has_a_place_and_leaves_it_when_it_is_stopped() {
    let more = "\n```score second\nfrom = \"bad\"\nmodel = \"m\"\ntext = \"title\"\n```\n";
    let mut d = Driver::new(&format!("{SHOES}{more}"), 80, 24);
    let queue = |d: &Driver| d.app.queue().map(str::to_owned).collect::<Vec<_>>();
    d.keys("j r");
    d.send(Msg::Engine(fake::done(1, info("bad"))));
    d.send(told(1, "rel", CellState::Running(Progress::default())));
    d.keys("j r j r");
    assert_eq!(queue(&d), ["by_region", "second"]);
    assert_eq!(d.app.place_in_queue("second"), Some(2));
    assert_eq!(d.app.place_in_queue("rel"), None, "it runs");
    d.sent();
    d.keys("k x");
    assert_eq!(d.app.focused_cell(), Some("by_region"));
    assert_eq!(d.sent(), [Request::Cancel { job: 2 }], "the others go on");
    d.send(told(2, "by_region", CellState::Cancelled(None)));
    d.send(Msg::Engine(Event::JobEnded { job: 2, ok: false, elapsed_ms: 0 }));
    assert_eq!(queue(&d), ["second"]);
    assert_eq!(d.app.place_in_queue("second"), Some(1));
}

#[test]
fn a_score_cell_begins_with_the_rows_in_view() {
    let first = |d: &mut Driver| {
        let runs = d.sent().into_iter().filter_map(|request| match request {
            Request::Run { first, .. } => Some(first),
            _ => None,
        });
        runs.flatten()
            .map(|FirstRows { cell, rows }| (cell, rows.relation, rows.offset, rows.order))
            .collect::<Vec<_>>()
    };
    let mut d = driver();
    d.keys("r");
    assert!(first(&mut d).is_empty(), "no score cell");
    d.finish(|cell| fake::info(cell, 4_000));
    d.keys("enter");
    d.answer(|spec| fake::page(spec, 4_000));
    d.keys("o G");
    d.answer(|spec| fake::page(spec, 4_000));
    let top = d.app.focused_run().unwrap().grid.top;
    assert!(top > 3_900);
    d.keys("esc j r");
    let order = Some("\"item_id\" DESC NULLS LAST".to_owned());
    assert_eq!(first(&mut d), [("rel".to_owned(), "bad".to_owned(), top, order)]);
    // Its own rows, once there are any and the reader is there.
    d.finish(|cell| fake::info(cell, 4_000));
    d.keys("r");
    assert_eq!(first(&mut d), [("rel".to_owned(), "rel".to_owned(), 0, None)]);
}

#[test]
fn what_the_engine_finds_outdated_is_marked_until_it_is_run() {
    use crate::protocol::Outdated;
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    let tell =
        |d: &mut Driver, cell: &str, why| d.send(Msg::Engine(Event::Outdated { cell: cell.into(), why }));
    tell(&mut d, "bad", Outdated::Source("shown".into()));
    let run = d.app.run("bad").unwrap();
    assert!(run.stale && run.outdated == Some(Outdated::Source("shown".into())));
    d.keys("R");
    d.finish(info);
    assert!(d.app.run("bad").is_some_and(|run| run.is_fresh() && run.outdated.is_none()));
    // Nothing of it was shown yet.
    let mut fresh = driver();
    tell(&mut fresh, "rel", Outdated::Elsewhere);
    assert!(fresh.app.run("rel").is_some_and(|run| !run.stale && run.outdated.is_some()));
    fresh.app.redraw = false;
    fresh.send(Msg::Engine(Event::Note { text: "说明".into() }));
    assert!(fresh.app.redraw && fresh.app.status.as_ref().is_some_and(|status| status.text == "说明"));
}

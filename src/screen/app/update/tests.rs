//! One message in, state and effects out.

mod runs;
mod sessions;
mod slices;

use crate::protocol::{
    Body, CellState, Event, Explanation, Outcome, PageSpec, Problem, ProblemKind, RelationInfo, Request,
    WordAttribution,
};
use crate::screen::app::fake::{self, Driver};
use crate::screen::app::{Effect, FileTask, Mode, Msg, Pane, SaveError};

pub const SHOES: &str = "---\nrecscope: 1\nschema: { query: query, item: item_id, score: rel_score, gain: grade, text: [query, title] }\nsources:\n  impressions: log.parquet\n---\n# Why boots?\n\n```sql bad\nSELECT * FROM impressions\n```\n\n```score rel\nfrom = \"bad\"\nmodel = \"models/m\"\npair = [\"query\", \"title\"]\n```\n\n```fairness by_region\nfrom = \"rel\"\nslices = [\"region\"]\nmetric = \"ndcg@10\"\n```\n";

fn driver() -> Driver {
    let mut d = Driver::new(SHOES, 80, 24);
    d.sent();
    d
}

fn ran(requests: &[Request]) -> Vec<Vec<String>> {
    let cells = requests.iter().filter_map(|r| match r {
        Request::Run { cells, .. } => Some(cells.clone()),
        _ => None,
    });
    cells.collect()
}

fn info(cell: &str) -> RelationInfo {
    if cell == "by_region" { fake::fairness_info(cell) } else { fake::info(cell, 40) }
}

fn page(spec: &PageSpec) -> crate::protocol::Page {
    if spec.relation == "by_region" { fake::fairness_page(spec) } else { fake::page(spec, 40) }
}

/// Everything has run, the fairness table is in focus.
fn investigated() -> Driver {
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    d.keys("G enter");
    assert_eq!(d.app.focused_cell(), Some("by_region"));
    assert_eq!(d.app.pane, Pane::Result);
    d.answer(page);
    d
}

#[test]
fn editing_marks_what_is_below_stale_and_undo_brings_the_text_back() {
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    d.keys("e end");
    d.type_text(" LIMIT 5");
    assert!(d.app.is_dirty());
    d.keys("esc");
    assert_eq!(d.app.mode, Mode::Normal);
    assert!(d.app.doc.text().contains("SELECT * FROM impressions LIMIT 5\n"));
    assert!(["bad", "rel", "by_region"].iter().all(|c| d.app.run(c).unwrap().stale));
    d.keys("u");
    assert_eq!(d.app.doc.text(), SHOES);
    d.keys("ctrl-y");
    assert!(d.app.doc.text().contains("LIMIT 5"));
}

#[test]
fn running_from_the_editor_takes_what_was_written() {
    let mut d = driver();
    d.keys("e end");
    d.type_text("!");
    d.sent();
    d.keys("ctrl-r");
    let sent = d.sent();
    assert!(matches!(&sent[0], Request::Sync { text, .. } if text.contains("impressions!")));
    assert_eq!(ran(&sent), [["bad"]]);
    assert!(matches!(d.app.mode, Mode::Edit(_)), "and goes on editing");
}

#[test]
fn letters_write_in_the_editor_whatever_they_do_elsewhere() {
    let mut d = driver();
    d.keys("e");
    d.sent();
    d.type_text("rR q?:/ 跑鞋");
    assert!(ran(&d.sent()).is_empty());
    assert!(d.app.live_text().contains("rR q?:/ 跑鞋SELECT"));
    d.send(Msg::Paste("a\r\nb".into()));
    assert!(d.app.live_text().contains("跑鞋a\nbSELECT"));
    d.keys("alt-u");
    assert!(d.app.live_text().contains("跑鞋SELECT"));
}

#[test]
fn what_is_typed_is_kept_safe_within_a_second() {
    let mut d = driver();
    d.keys("e");
    d.effects.clear();
    d.type_text("x");
    assert!(d.app.wants_tick().is_some_and(|ms| ms < 1_000));
    d.send(Msg::Tick { now_ms: 400 });
    assert!(
        d.effects
            .iter()
            .any(|e| matches!(e, Effect::File(FileTask::Journal { text, .. }) if text.contains("xSELECT")))
    );
    d.effects.clear();
    d.send(Msg::Tick { now_ms: 800 });
    assert!(d.effects.is_empty(), "once is enough");
    assert_eq!(d.app.wants_tick(), None);
    d.send(Msg::Terminate);
    assert!(d.effects.iter().any(|e| matches!(e, Effect::File(FileTask::Save { force: false, .. }))));
    assert!(d.effects.contains(&Effect::Quit));
}

#[test]
fn saving_asks_before_overwriting_another_programs_work() {
    let mut d = driver();
    d.keys("d d");
    assert_eq!(d.app.doc.notebook().cells().count(), 2);
    d.effects.clear();
    d.keys("ctrl-s");
    let Some(Effect::File(FileTask::Save { text, on_disk, .. })) = d.effects.pop() else {
        panic!("{:?}", d.effects)
    };
    assert_eq!(on_disk.as_deref(), Some(SHOES));
    d.send(Msg::Saved { text: text.clone(), result: Err(SaveError::ChangedOutside) });
    assert!(matches!(d.app.mode, Mode::Menu(_)));
    d.keys("down enter");
    assert!(matches!(d.effects.pop(), Some(Effect::File(FileTask::Save { force: true, .. }))));
    d.send(Msg::Saved { text, result: Ok("/nowhere/shoes.md".into()) });
    assert!(!d.app.is_dirty());
    d.keys("q");
    assert!(d.app.quitting, "nothing unsaved: no question");
}

#[test]
fn leaving_with_unsaved_work_asks() {
    let mut d = driver();
    d.keys("d d q");
    assert!(!d.app.quitting);
    d.keys("esc");
    assert_eq!(d.app.mode, Mode::Normal);
    d.keys("q enter");
    assert!(d.effects.iter().any(|e| matches!(e, Effect::File(FileTask::Save { .. }))));
    let text = d.app.doc.text();
    d.send(Msg::Saved { text, result: Ok("/nowhere/shoes.md".into()) });
    assert!(d.app.quitting);
}

#[test]
fn cells_are_added_from_a_menu_and_moved() {
    let mut d = driver();
    d.keys("a");
    d.type_text("metr");
    d.keys("enter");
    assert!(matches!(d.app.mode, Mode::Edit(_)));
    d.keys("esc");
    assert_eq!(d.app.focused_cell(), Some("metrics_cell"));
    d.keys("J");
    let names: Vec<&str> = d.app.doc.notebook().cells().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["bad", "rel", "metrics_cell", "by_region"]);
    assert_eq!(d.app.focused_cell(), Some("metrics_cell"));
}

/// The path: slice, rows, marks, score, words, and back; each step a cell.
#[test]
fn a_slice_leads_to_the_words_and_esc_leads_back() {
    let mut d = investigated();
    d.keys("enter");
    assert_eq!(ran(&d.sent()), [["by_region_rows"]]);
    let body = &d.app.doc.notebook().cell("by_region_rows").unwrap().body;
    assert!(body.contains("FROM rel") && body.contains("\"region\" = 'south'"), "{body}");
    d.finish(info);
    d.answer(page);

    d.keys("space space s");
    assert!(d.effects.contains(&Effect::FindModels));
    d.keys("enter");
    assert_eq!(ran(&d.sent()), [["by_region_scored"]]);
    let body = d.app.doc.notebook().cell("by_region_scored").unwrap().body.clone();
    assert!(
        body.contains("model = \"models/m\"") && body.contains("pair  = [\"query\", \"title\"]"),
        "{body}"
    );
    assert!(body.contains("from  = \"by_region_rows\"") && body.contains(" OR "), "{body}");
    d.finish(info);
    d.answer(page);

    d.keys("j enter");
    assert_eq!(ran(&d.sent()), [["by_region_why"]]);
    assert_eq!(d.app.pane, Pane::Detail);
    let body = d.app.doc.notebook().cell("by_region_why").unwrap().body.clone();
    assert!(body.contains("跑鞋 男 1") && body.contains("limit = 1"), "{body}");

    d.keys("esc");
    assert_eq!((d.app.focused_cell(), d.app.pane), (Some("by_region_scored"), Pane::Result));
    assert_eq!(d.app.focused_run().unwrap().grid.row, 1);
    d.keys("esc");
    assert_eq!(d.app.focused_cell(), Some("by_region_rows"));
    d.keys("esc");
    assert_eq!((d.app.focused_cell(), d.app.pane), (Some("by_region"), Pane::Result));
    d.keys("esc");
    assert_eq!(d.app.pane, Pane::Outline);
}

#[test]
fn the_same_step_writes_the_same_cell_again() {
    let mut d = investigated();
    d.keys("enter");
    d.finish(info);
    d.keys("esc j enter");
    let cells: Vec<&str> = d.app.doc.notebook().cells().map(|c| c.name.as_str()).collect();
    assert_eq!(cells, ["bad", "rel", "by_region", "by_region_rows"]);
    assert!(d.app.doc.notebook().cell("by_region_rows").unwrap().body.contains("'north'"));
    assert_eq!(ran(&d.sent()).last().map(Vec::len), Some(1), "and runs it");
    d.finish(info);
    d.keys("esc enter");
    assert!(ran(&d.sent()).is_empty(), "the rows are still here");
}

#[test]
fn rows_scored_by_a_model_are_explained_straight_away() {
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    d.keys("j enter");
    d.answer(page);
    d.keys("enter");
    assert_eq!(ran(&d.sent()), [["rel_why"]]);
    let explanation = Explanation {
        score: 7.91,
        words: vec![WordAttribution { text: "跑".into(), attribution: 2.1, ..Default::default() }],
        ..Default::default()
    };
    let outcome =
        Outcome { body: Body::Explain(vec![explanation]), ..fake::outcome(fake::info("rel_why", 1)) };
    d.send(Msg::Engine(Event::Cell {
        job: 2,
        cell: "rel_why".into(),
        state: CellState::Done(Box::new(outcome)),
    }));
    let content = crate::screen::app::detail::content(&d.app);
    assert!(matches!(content, crate::screen::app::detail::Content::Explanation { .. }), "{content:?}");
}

#[test]
fn sorting_and_finding_ask_for_other_rows() {
    let mut d = driver();
    d.keys("R");
    d.finish(info);
    d.keys("j enter");
    d.answer(page);
    d.keys("o");
    let specs = |d: &mut Driver| -> Vec<PageSpec> {
        d.sent()
            .into_iter()
            .filter_map(|r| if let Request::Page { spec, .. } = r { Some(spec) } else { None })
            .collect()
    };
    assert_eq!(specs(&mut d)[0].order.as_deref(), Some("\"rel_score\" DESC NULLS LAST"));
    d.keys("/");
    d.type_text("boot's");
    d.keys("enter");
    let filter = specs(&mut d)[0].filter.clone().unwrap();
    assert!(filter.contains("lower('boot''s')"), "{filter}");
    d.keys("esc");
    assert_eq!(specs(&mut d)[0].filter, None, "Esc shows all rows again");
}

#[test]
fn a_failed_cell_opens_where_the_fault_is() {
    let mut d = driver();
    d.keys("r");
    let problem = Problem::new(ProblemKind::Data, "no column `clicks`").at(1, 8);
    d.send(Msg::Engine(Event::Cell { job: 1, cell: "bad".into(), state: CellState::Failed(problem) }));
    d.send(Msg::Engine(Event::JobEnded { job: 1, ok: false, elapsed_ms: 10 }));
    assert!(d.app.status.as_ref().is_some_and(|s| s.text.contains("clicks")));
    d.keys("enter");
    let Mode::Edit(edit) = &d.app.mode else { panic!("{:?}", d.app.mode) };
    assert_eq!(edit.editor.column(), 7);
}

#[test]
fn no_key_anywhere_panics() {
    let keys: Vec<_> = crate::screen::app::commands::COMMANDS
        .iter()
        .filter(|c| c.id != "quit")
        .flat_map(|c| c.keys.iter().filter_map(|k| crate::screen::app::Key::parse_sequence(k)))
        .collect();
    for text in ["", "prose", SHOES, "---\n", "```sql\n", "```sql a\nSELECT 1\n```"] {
        for (width, height) in [(0, 0), (1, 1), (30, 6), (80, 24), (200, 50)] {
            let mut d = Driver::new(text, width, height);
            let mut state = 7u64;
            for _ in 0..400 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                for key in &keys[(state >> 33) as usize % keys.len()] {
                    d.send(Msg::Key(*key));
                }
                if !d.app.jobs.is_empty() && state.is_multiple_of(3) {
                    d.finish(info);
                }
                d.answer(page);
            }
        }
    }
}

//! Pictures of whole screens, as text. `cargo insta review` shows what changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Look, view};
use crate::protocol::{
    Body, CellState, Event, Explanation, Outcome, Passes, Progress, RelationInfo, Scoring, WordAttribution,
};
use crate::screen::app::Msg;
use crate::screen::app::fake::{self, Driver};
use crate::screen::ui::theme::{Depth, Theme};

const SHOES: &str = "---\nrecscope: 1\nschema: { query: query, item: item_id, score: rel_score, gain: grade, text: [query, title] }\nsources:\n  impressions: log.parquet\n---\n# Why did \"running shoes\" show boots?\n\n```sql bad_queries\nSELECT query, count(*) AS shown\nFROM impressions\nGROUP BY query\n```\n\n```score rel\nfrom = \"bad_queries\"\nmodel = \"models/m\"\npair = [\"query\", \"title\"]\n```\n\n## Where?\n\n```fairness by_region\nfrom = \"rel\"\nslices = [\"region\"]\nmetric = \"ndcg@10\"\n```\n";

fn picture(d: &Driver) -> String {
    let look = Look::new(Theme::builtin("mono", Depth::None).unwrap());
    let mut buf = Buffer::empty(Rect::new(0, 0, d.app.width, d.app.height));
    view(&d.app, &look, &mut buf);
    let area = *buf.area();
    let mut out = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buf[(x, y)].symbol();
            line.push_str(symbol);
            x += (unicode_width::UnicodeWidthStr::width(symbol) as u16).max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn info(cell: &str) -> RelationInfo {
    if cell == "by_region" { fake::fairness_info(cell) } else { fake::info(cell, 1204) }
}

fn page(spec: &crate::protocol::PageSpec) -> crate::protocol::Page {
    if spec.relation == "by_region" { fake::fairness_page(spec) } else { fake::page(spec, 1204) }
}

fn ran(width: u16, height: u16) -> Driver {
    let mut d = Driver::new(SHOES, width, height);
    d.keys("R");
    d.finish(info);
    d.answer(page);
    d
}

fn explained(width: u16, height: u16) -> Driver {
    let mut d = ran(width, height);
    d.keys("j enter");
    d.answer(page);
    d.keys("enter");
    let word = |text: &str, side, attribution| WordAttribution {
        text: text.into(),
        side,
        attribution,
        std_error: None,
    };
    let words = vec![
        word("跑鞋", 0, 2.1),
        word("男", 0, 0.2),
        word("Men's", 1, 0.25),
        word("Hiking", 1, 1.3),
        word("Boots", 1, -0.9),
        word("Waterproof", 1, -0.05),
    ];
    let explanation = Explanation {
        model: "models/m".into(),
        method: "integrated_gradients".into(),
        score: 7.91,
        baseline_score: Some(-4.2),
        delta: Some(0.004),
        words,
        passes: Passes { forward: 24, backward: 24 },
        record: vec![("item_id".into(), Some("48703921".into())), ("clicked".into(), None)],
        ..Default::default()
    };
    let outcome =
        Outcome { body: Body::Explain(vec![explanation]), ..fake::outcome(fake::info("rel_why", 6)) };
    d.send(Msg::Engine(Event::Cell {
        job: 2,
        cell: "rel_why".into(),
        state: CellState::Done(Box::new(outcome)),
    }));
    d.send(Msg::Engine(Event::JobEnded { job: 2, ok: true, elapsed_ms: 900 }));
    d.answer(page);
    d
}

#[test]
fn first_frame() {
    insta::assert_snapshot!(picture(&Driver::new(SHOES, 80, 24)));
}

/// How far a scoring job might be.
fn scoring() -> Progress {
    let scoring = Scoring {
        inputs_done: 4_100,
        inputs_total: 6_800,
        rows_cached: 3_000,
        inputs_cached: 900,
        tokens_done: 412_000,
        tokens_total: 680_000,
        estimated: true,
        tokens_per_second: 16_233.0,
        device: "cpu".into(),
        dtype: "int8".into(),
        rss_bytes: 412 << 20,
    };
    Progress {
        done: 12_200,
        total: Some(20_000),
        unit: "rows".into(),
        per_second: 1340.0,
        elapsed_ms: 9_100,
        eta_ms: Some(16_500),
        phase: "scoring".into(),
        scoring: Some(Box::new(scoring)),
    }
}

fn state(cell: &str, state: CellState) -> Msg {
    Msg::Engine(Event::Cell { job: 1, cell: cell.into(), state })
}

/// Everything was asked for, the second cell scores.
fn begun(width: u16, height: u16) -> Driver {
    let mut d = Driver::new(SHOES, width, height);
    d.keys("R j");
    d.send(Msg::Engine(fake::done(1, fake::info("bad_queries", 200))));
    d.send(state("rel", CellState::Running(scoring())));
    d.keys("tab");
    d
}

#[test]
fn progress_at_80x24_and_200x50() {
    let mut wide = begun(200, 50);
    let partial = Outcome { partial: true, ..fake::outcome(fake::info("rel", 12_200)) };
    let lines = |d: &Driver| {
        let said = |line: &&str| line.contains("61 %") || line.contains("queued");
        picture(d).lines().filter(said).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let without_rows = lines(&wide);
    wide.send(state("rel", CellState::Partial(Box::new(partial))));
    wide.answer(page);
    let wide = format!("{without_rows}\n{}", lines(&wide));
    insta::assert_snapshot!(format!("{}\n{wide}", picture(&begun(80, 24))));
}

#[test]
fn paused_at_80x24() {
    let mut d = begun(80, 24);
    d.keys("p");
    d.send(state("rel", CellState::Paused(scoring())));
    let without_rows = picture(&d);
    let partial = Outcome { partial: true, ..fake::outcome(fake::info("rel", 12_200)) };
    d.send(state("rel", CellState::Partial(Box::new(partial))));
    d.answer(page);
    insta::assert_snapshot!(format!("{without_rows}\n{}", picture(&d)));
}

#[test]
fn queued_at_80x24() {
    let more = "\n```score second\nfrom = \"bad_queries\"\nmodel = \"models/n\"\npair = [\"query\", \"title\"]\n```\n";
    let mut d = Driver::new(&format!("{SHOES}{more}"), 80, 24);
    d.keys("j r");
    d.send(Msg::Engine(fake::done(1, fake::info("bad_queries", 200))));
    d.send(state("rel", CellState::Running(scoring())));
    d.keys("j j r G r tab");
    insta::assert_snapshot!(picture(&d));
}

#[test]
fn scoring_at_80x24() {
    let mut d = Driver::new(SHOES, 80, 24);
    d.keys("R");
    d.send(Msg::Engine(fake::done(1, fake::info("bad_queries", 200))));
    d.send(state("rel", CellState::Running(scoring())));
    let outcome = Outcome { partial: true, ..fake::outcome(fake::fairness_info("by_region")) };
    d.send(Msg::Engine(Event::Cell {
        job: 1,
        cell: "by_region".into(),
        state: CellState::Partial(Box::new(outcome)),
    }));
    d.keys("G enter");
    d.answer(page);
    insta::assert_snapshot!(picture(&d));
}

#[test]
fn rows_at_80x24() {
    let mut d = ran(80, 24);
    d.keys("j enter");
    d.answer(page);
    d.keys("j space j j");
    insta::assert_snapshot!(picture(&d));
}

#[test]
fn three_panes_at_200x50() {
    let mut d = ran(200, 50);
    d.keys("G enter");
    d.answer(page);
    insta::assert_snapshot!(picture(&d));
}

#[test]
fn words_at_80x24() {
    insta::assert_snapshot!(picture(&explained(80, 24)));
}

#[test]
fn words_at_200x50() {
    insta::assert_snapshot!(picture(&explained(200, 50)));
}

#[test]
fn editing_at_80x24() {
    let mut d = Driver::new(SHOES, 80, 24);
    d.keys("e end");
    d.type_text(", avg(clicked) AS 点击率");
    insta::assert_snapshot!(picture(&d));
}

#[test]
fn palette_and_help() {
    let mut d = Driver::new(SHOES, 80, 24);
    d.keys(":");
    d.type_text("run");
    let palette = picture(&d);
    d.keys("esc ?");
    insta::assert_snapshot!(format!("{palette}\n{}", picture(&d)));
}

#[test]
fn every_size_is_drawn_without_panic() {
    let looks = |d: &mut Driver| {
        for keys in ["", "enter", "tab", "tab", "esc esc esc", ":", "esc", "?", "esc", "a", "esc", "e", "esc"]
        {
            if !keys.is_empty() {
                d.keys(keys);
            }
            d.answer(page);
            picture(d);
        }
    };
    for (width, height) in
        [(1, 1), (5, 2), (12, 3), (20, 5), (40, 10), (56, 8), (79, 23), (120, 16), (400, 100)]
    {
        let mut d = ran(width, height);
        looks(&mut d);
        d.keys("G");
        looks(&mut d);
    }
}

fn opened_twice(width: u16, height: u16) -> Driver {
    use crate::screen::app::{Holder, Opening};
    let words = "pid 48213 (ann@gpu-box-03, open for 12 min)".into();
    let others = vec![Holder { id: "48213-1".into(), words, watches: false }];
    let (path, on_disk) = (Some("/nowhere/shoes.md".into()), Some(SHOES.into()));
    let text = SHOES.into();
    Driver::open(Opening { text, path, on_disk, others, kept: 2, ..Opening::default() }, width, height)
}

#[test]
fn another_session_at_80x24() {
    let mut d = opened_twice(80, 24);
    let asked = picture(&d);
    d.keys("esc e");
    insta::assert_snapshot!(format!("{asked}\n{}", picture(&d)));
}

#[test]
fn a_kept_text_compared_at_80x24_and_120x40() {
    use crate::screen::app::{About, Comparison, DiffLine, KeptText, News};
    let compared = |width, height| {
        let mut d = Driver::new(SHOES, width, height);
        let text = SHOES.replace("GROUP BY query", "GROUP BY ALL");
        let words = "3 min ago, pid 48213 (ann@box)".into();
        let kept =
            KeptText { name: "unsaved-7-1.md".into(), words, text, added: 2, removed: 1, file_changed: true };
        let same = |text: &str| DiffLine::Same(text.into());
        let lines = vec![
            DiffLine::Gap(8),
            same("```sql bad_queries"),
            same("SELECT query, count(*) AS shown"),
            same("FROM impressions"),
            DiffLine::Removed("GROUP BY query".into()),
            DiffLine::Added("-- 跑鞋: 一条很长的说明 that goes on and on until it is wider than the screen it is shown on, twice over".into()),
            DiffLine::Added("GROUP BY ALL\u{1b}[2J".into()),
            same("```"),
            DiffLine::Gap(15),
        ];
        let comparison = Comparison { lines, added: 2, removed: 1, left_out: 0 };
        d.send(Msg::Sessions(News::Compared { about: About::Kept(kept), comparison }));
        picture(&d)
    };
    insta::assert_snapshot!(format!("{}\n{}", compared(80, 24), compared(120, 40)));
}

#[test]
fn why_a_result_does_not_stand_any_more_is_said() {
    use crate::protocol::Outdated;
    let mut d = ran(120, 30);
    let why = Outdated::Source("impressions".into());
    d.send(Msg::Engine(Event::Outdated { cell: "bad_queries".into(), why }));
    let text = picture(&d);
    assert!(text.contains("source changed"), "{text}");
    assert!(text.contains("stale: source impressions changed since; `r` runs it"), "{text}");
    let mut d = Driver::new(SHOES, 120, 30);
    d.send(Msg::Engine(Event::Outdated { cell: "bad_queries".into(), why: Outdated::Elsewhere }));
    let text = picture(&d);
    assert!(text.contains("○ sql") && text.contains("made elsewhere: `r` runs it"), "{text}");
}

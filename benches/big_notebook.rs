//! Large notebooks: a chain of cells run headless, and what a key costs on the screen (`update` and `view`, in
//! this process, without a terminal) in notebooks of a megabyte and in a hundred megabytes of prose.
//! Budgets: a thousand cells in 2 s; a key in a megabyte in 33 ms.
//!
//! `cargo bench --bench big_notebook [-- chain|keys|prose]`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A benchmark that cannot be set up may stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use recscope::cli::run::{RunOptions, run_notebook};
use recscope::screen::app::{App, Code, Effect, Key, Msg, Opening, Pane, update};
use recscope::screen::ui::theme::{Depth, Theme};
use recscope::screen::ui::views::{Look, view};
use recscope::screen::ui::widgets::code::Highlighter;

const WIDTH: u16 = 200;
const HEIGHT: u16 = 50;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if is_wanted("chain") {
        for cells in [100, 300, 1000, 3000] {
            chain(cells);
        }
        params(16_000);
    }
    if is_wanted("keys") {
        keys("1 MB, 2,000 cells of SQL", &cells(2_000, 440));
        keys("1 MB, 2,000 metrics cells", &metrics_cells(2_000));
        keys(
            "1 MB in one cell",
            &format!("```sql one\n{}```\n", "SELECT a, b FROM t WHERE c = 'x'\n".repeat(30_000)),
        );
        keys(
            "1 MB of prose",
            &format!("# Title\n\n{}", "A *line* of `prose` that somebody wrote once.\n\n".repeat(21_000)),
        );
    }
    if is_wanted("prose") {
        prose(100 << 20);
    }
}

fn chain(cells: usize) {
    let mut text = String::from("```sql q0\nSELECT 1 AS a\n```\n\n");
    for i in 1..cells {
        text.push_str(&format!("```sql q{i}\nSELECT * FROM q{}\n```\n\n", i - 1));
    }
    run(&format!("chain of {cells} cells"), &text);
}

fn params(count: usize) {
    let mut text = String::from("---\nrecscope: 1\nparams:\n");
    for i in 0..count {
        text.push_str(&format!("  p{i}: {i}\n"));
    }
    text.push_str("---\n\n```sql q\nSELECT {{p7}} AS a\n```\n");
    run(&format!("{count} parameters"), &text);
}

fn run(label: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("n.md");
    std::fs::write(&path, text).expect("a notebook to run");
    let mut options = RunOptions::default();
    options.engine.cache = false;
    let began = Instant::now();
    let report = run_notebook(&path, &[], &options, &mut |_| {});
    println!("run  {label:<28} {:8.0} ms  exit {}", ms(began.elapsed()), report.exit);
}

fn cells(count: usize, bytes: usize) -> String {
    let filler = "x".repeat(bytes);
    let mut text = String::from("---\nrecscope: 1\nsources: { logs: a.parquet }\n---\n");
    for i in 0..count {
        let from = if i == 0 { "logs".to_owned() } else { format!("q{}", i - 1) };
        text.push_str(&format!("## Step {i}\n\n```sql q{i}\nSELECT *, '{filler}' AS s FROM {from}\n```\n\n"));
    }
    text
}

fn metrics_cells(count: usize) -> String {
    let remark = format!("# {}\n", "a remark ".repeat(30));
    let mut text = String::from("---\nrecscope: 1\nsources: { logs: a.parquet }\n---\n");
    for i in 0..count {
        text.push_str(&format!(
            "## Step {i}\n\n```metrics q{i}\n{remark}from = \"logs\"\nshow = [\"ndcg@10\"]\ncheck = [\"ndcg@10 > 0.{i}\"]\n```\n\n"
        ));
    }
    text
}

/// The screen's own work, as the loop does it: every message, then the effects thrown away, then a frame.
struct Screen {
    app: App,
    look: Look,
    buffer: Buffer,
}

impl Screen {
    fn open(text: &str) -> Self {
        let opening = Opening { text: text.to_owned(), on_disk: Some(text.to_owned()), ..Opening::default() };
        let mut look = Look::new(Theme::builtin("dark", Depth::True).expect("the theme"));
        look.set_highlighter(Arc::new(Highlighter::load()));
        let buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        let mut screen = Self { app: App::new(opening), look, buffer };
        screen.tell(Msg::Resize { width: WIDTH, height: HEIGHT });
        screen
    }

    /// The time until the frame is there.
    fn tell(&mut self, msg: Msg) -> Duration {
        let began = Instant::now();
        let mut effects: Vec<Effect> = Vec::new();
        update(&mut self.app, msg, &mut effects);
        let _ = self.app.wants_tick();
        view(&self.app, &self.look, &mut self.buffer);
        let _ = self.app.wants_tick();
        began.elapsed()
    }

    fn key(&mut self, key: Key) -> Duration {
        self.tell(Msg::Key(key))
    }
}

fn keys(label: &str, text: &str) {
    let began = Instant::now();
    let mut screen = Screen::open(text);
    println!("keys {label:<28} {:8.1} ms  to open, {} KB", ms(began.elapsed()), text.len() >> 10);
    let key = |screen: &mut Screen, key: Key, times: usize| (0..times).map(|_| screen.key(key)).collect();
    let down: Vec<Duration> = key(&mut screen, Key::plain(Code::Down), 200);
    report("down", down);
    screen.key(Key::char('e'));
    let typed: Vec<Duration> =
        "SELECT 1 FROM a ".repeat(12).chars().map(|c| screen.key(Key::char(c))).collect();
    report("typing", typed);
    report("cursor", key(&mut screen, Key::plain(Code::Down), 200));
    screen.key(Key { ctrl: true, ..Key::plain(Code::End) });
    let typed: Vec<Duration> =
        "SELECT 1 FROM a ".repeat(12).chars().map(|c| screen.key(Key::char(c))).collect();
    report("typing at the end", typed);
    report("line break", key(&mut screen, Key::plain(Code::Enter), 30));
    report("the tick (journal)", (0..30).map(|n| screen.tell(Msg::Tick { now_ms: n * 400 })).collect());
    report("leaving the editor", vec![screen.key(Key::plain(Code::Esc))]);
    report("undo", vec![screen.key(Key::char('u'))]);
    screen.app.pane = Pane::Detail;
    report("scrolling the detail", key(&mut screen, Key::plain(Code::PageDown), 100));
}

fn prose(bytes: usize) {
    let line = "A line of prose, 跑鞋 and more, as it stands in a file that somebody keeps.\n";
    let text = line.repeat(bytes / line.len());
    let began = Instant::now();
    let mut screen = Screen::open(&text);
    println!("keys {:<28} {:8.1} ms  to open", format!("{} MB of prose", bytes >> 20), ms(began.elapsed()));
    drop(text);
    screen.app.pane = Pane::Detail;
    report("page down", (0..200).map(|_| screen.key(Key::plain(Code::PageDown))).collect());
    report("to the end", vec![screen.key(Key::plain(Code::End))]);
    report("page up", (0..200).map(|_| screen.key(Key::plain(Code::PageUp))).collect());
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share).round() as usize]);
    println!("     {what:<28} p50 {:7.2} ms   p99 {:7.2} ms", at(0.5), at(0.99));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

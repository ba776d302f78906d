//! Random events to the screen's `update`, and what comes of them drawn: keys, bytes that a terminal may
//! send, pastes, sizes, time, an engine that answers, lies, dies and comes back. Nothing may panic.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use recscope::protocol::{
    CellState, Column, Event, Outcome, Page, PageSpec, Problem, ProblemKind, Progress, RelationInfo, Request,
    RowCount,
};
use recscope::screen::app::{App, Code, Effect, Key, ModelChoice, Msg, Opening, SaveError, update};
use recscope::screen::ui::terminal::keys::Keys;
use recscope::screen::ui::theme::{Depth, Theme};
use recscope::screen::ui::views::{Look, view};

const EVENTS: u32 = 5_000;

const NOTEBOOK: &str = "---\nrecscope: 1\nparams: { k: 10 }\nsources:\n  log: log.parquet\n---\n# 跑鞋 notes\n\n\
```sql bad\nSELECT * FROM log WHERE q = '跑鞋' LIMIT {{k}}\n```\n\nprose 👍🏽 e\u{301}\n\n\
```score rel\nfrom = \"bad\"\nmodel = \"m\"\npair = [\"query\", \"title\"]\n```\n\n\
```metrics quality\nfrom = \"rel\"\nmetrics = [\"ndcg@10\"]\n```\n\n```check gate\nquality.value > 0.5\n```\n";

const TEXTS: &[&str] = &[
    "",
    "x",
    "跑鞋 男\n",
    "\u{1b}[2J\u{7}\u{9b}31m\u{202e}evil\u{200b}\0",
    "e\u{301}\u{301}\u{301}👨‍👩‍👧‍👦🏽",
    "```sql x\nSELECT 1\n```\n",
    "---\nrecscope: 1\n---\n",
    "\t\t\r\n\r",
];

struct Soak {
    app: App,
    random: ChaCha8Rng,
    look: Look,
    now_ms: u64,
    keys: Keys,
    cells: Vec<String>,
}

pub fn round(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let saved = random.random_bool(0.7);
    let opening = Opening {
        text: if random.random_bool(0.8) {
            NOTEBOOK.into()
        } else {
            TEXTS[random.random_range(0..TEXTS.len())].into()
        },
        path: saved.then(|| "/nowhere/shoes.md".into()),
        on_disk: saved.then(|| NOTEBOOK.into()),
        base: "/nowhere".into(),
        auto_run: random.random_bool(0.5),
        metrics: vec!["ndcg@10".into(), "mrr".into()],
        ..Opening::default()
    };
    let cells = ["bad", "rel", "quality", "gate", "nobody"].map(String::from).to_vec();
    let look = Look::new(Theme::fallback(Depth::True));
    let mut soak = Soak { app: App::new(opening), random, look, now_ms: 0, keys: Keys::default(), cells };
    let mut trail: Vec<String> = Vec::new();
    for at in 0..EVENTS {
        for msg in soak.messages() {
            trail.push(format!("{msg:?}").chars().take(160).collect());
            if trail.len() > 12 {
                trail.remove(0);
            }
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| soak.step(msg, at)));
            if let Err(panic) = done {
                let said = recscope::util::supervised::said(&*panic);
                return Err(format!("event {at}: {said}; before it:\n  {}", trail.join("\n  ")));
            }
        }
    }
    Ok(true)
}

impl Soak {
    fn step(&mut self, msg: Msg, at: u32) {
        let mut effects = Vec::new();
        update(&mut self.app, msg, &mut effects);
        let mut depth = 0;
        // What was wished for is answered now, later or never.
        while !effects.is_empty() && depth < 6 {
            depth += 1;
            for effect in std::mem::take(&mut effects) {
                if let Some(answer) = self.answer(effect) {
                    update(&mut self.app, answer, &mut effects);
                }
            }
        }
        if at.is_multiple_of(7) || self.random.random_bool(0.1) {
            // A terminal may have another size than it last told.
            let (width, height) = (self.app.width.min(400), self.app.height.min(120));
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            view(&self.app, &self.look, &mut buffer);
        }
    }

    fn messages(&mut self) -> Vec<Msg> {
        let random = &mut self.random;
        match random.random_range(0..100) {
            0..=54 => vec![Msg::Key(key(random))],
            55..=62 => {
                let bytes: Vec<u8> = (0..random.random_range(1..24)).map(|_| byte(random)).collect();
                let mut out = Vec::new();
                self.keys.take(&bytes, &mut out);
                if random.random_bool(0.5) {
                    self.keys.nothing_more(&mut out);
                }
                out
            }
            63..=66 => vec![Msg::Paste(text(random))],
            67..=70 => {
                let (width, height) = match random.random_range(0..4) {
                    0 => (random.random_range(0..15), random.random_range(0..6)),
                    1 => (u16::MAX, random.random_range(0..40)),
                    _ => (random.random_range(0..250), random.random_range(0..80)),
                };
                vec![Msg::Resize { width, height }]
            }
            71..=78 => {
                self.now_ms = match random.random_range(0..50) {
                    0 => 0,
                    1 => u64::MAX,
                    _ => self.now_ms.saturating_add(random.random_range(0..4_000)),
                };
                vec![Msg::Tick { now_ms: self.now_ms }]
            }
            79 => vec![Msg::EngineGone(text(random))],
            80..=81 => vec![Msg::EngineStarted],
            82 => vec![Msg::Resumed],
            83 => vec![Msg::Trouble(text(random))],
            84 => vec![Msg::Terminate],
            85 => {
                let path = text(random);
                vec![Msg::Models(vec![ModelChoice { path, embeds: random.random(), origin: "x".into() }])]
            }
            _ => vec![Msg::Engine(self.event())],
        }
    }

    fn event(&mut self) -> Event {
        let cell = self.cells[self.random.random_range(0..self.cells.len())].clone();
        let random = &mut self.random;
        let job = random.random_range(0..6);
        match random.random_range(0..12) {
            0 => Event::JobEnded { job, ok: random.random(), elapsed_ms: number(random) },
            1 => Event::Cancelling { job },
            2 => Event::Page { slot: 0, seq: number(random), result: Err(problem(random)) },
            3 => Event::Completions {
                seq: number(random),
                from: random.random_range(0..200),
                items: vec![text(random), "SELECT".into()],
            },
            4 => Event::Recipe { seq: random.random_range(0..9), result: Ok(text(random)) },
            5 => Event::Source { name: text(random), result: Err(problem(random)) },
            6 => Event::Pulse { rss_bytes: number(random), cpu_busy: 1 },
            7 => Event::Fault { problem: problem(random) },
            _ => Event::Cell { job, state: state(random, &cell), cell },
        }
    }

    fn answer(&mut self, effect: Effect) -> Option<Msg> {
        let random = &mut self.random;
        if random.random_bool(0.2) {
            return None;
        }
        Some(match effect {
            Effect::Send(Request::Page { slot, seq, spec }) => {
                Msg::Engine(Event::Page { slot, seq, result: Ok(page(random, spec)) })
            }
            Effect::Send(Request::Complete { seq, cursor, .. }) => {
                let from = if random.random_bool(0.9) { cursor.saturating_sub(2) } else { usize::MAX };
                Msg::Engine(Event::Completions { seq, from, items: vec![text(random), "SELECT".into()] })
            }
            Effect::Send(Request::Recipe { seq, .. }) => {
                Msg::Engine(Event::Recipe { seq, result: Ok(text(random)) })
            }
            Effect::Send(Request::Run { job, cells, .. }) => {
                let cell = cells.first()?.clone();
                Msg::Engine(Event::Cell { job, state: state(random, &cell), cell })
            }
            Effect::Send(Request::Cancel { job }) => {
                Msg::Engine(Event::JobEnded { job, ok: false, elapsed_ms: 3 })
            }
            Effect::StartEngine => Msg::EngineStarted,
            Effect::KillEngine => Msg::EngineGone("killed".into()),
            Effect::File(recscope::screen::app::FileTask::Save { path, text, .. }) => Msg::Saved {
                text,
                result: match random.random_range(0..3) {
                    0 => Err(SaveError::ChangedOutside),
                    1 => Err(SaveError::Failed("no space".into())),
                    _ => Ok(path),
                },
            },
            Effect::Copy(_) => Msg::Copied(Err(text(random))),
            _ => return None,
        })
    }
}

fn text(random: &mut ChaCha8Rng) -> String {
    let text = TEXTS[random.random_range(0..TEXTS.len())];
    text.repeat(random.random_range(1..5))
}

fn number(random: &mut ChaCha8Rng) -> u64 {
    [0, 1, 2, 57, 100_000, u64::MAX - 1, u64::MAX][random.random_range(0..7)]
}

fn real(random: &mut ChaCha8Rng) -> f64 {
    [0.0, -1.0, 0.5, 1e300, -1e300, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE][random.random_range(0..8)]
}

fn byte(random: &mut ChaCha8Rng) -> u8 {
    let often = b"\x1b\x1b[[<;:?0019~MmRuAOP\xff\xe8\xb7\x91";
    if random.random_bool(0.8) { often[random.random_range(0..often.len())] } else { random.random() }
}

fn key(random: &mut ChaCha8Rng) -> Key {
    let codes = [
        Code::Enter,
        Code::Esc,
        Code::Tab,
        Code::BackTab,
        Code::Backspace,
        Code::Delete,
        Code::Left,
        Code::Right,
        Code::Up,
        Code::Down,
        Code::Home,
        Code::End,
        Code::PageUp,
        Code::PageDown,
        Code::F(random.random_range(0..=255)),
    ];
    let printable = char::from(random.random_range(b' '..=b'~'));
    let code = match random.random_range(0..10) {
        0..=3 => codes[random.random_range(0..codes.len())],
        4..=8 => Code::Char(printable),
        _ => {
            Code::Char(['跑', '\u{301}', '👍', '\u{202e}', '\u{0}', '\u{10ffff}'][random.random_range(0..6)])
        }
    };
    Key {
        code,
        ctrl: random.random_bool(0.12),
        alt: random.random_bool(0.05),
        shift: random.random_bool(0.05),
    }
}

fn problem(random: &mut ChaCha8Rng) -> Problem {
    let mut problem = Problem::new(ProblemKind::Data, text(random));
    problem.hint = Some(text(random));
    problem.line = Some(u32::try_from(number(random)).unwrap_or(u32::MAX));
    problem.column = Some(u32::try_from(number(random)).unwrap_or(u32::MAX));
    problem
}

fn state(random: &mut ChaCha8Rng, cell: &str) -> CellState {
    let progress = Progress {
        done: number(random),
        total: random.random_bool(0.7).then(|| number(random)),
        unit: text(random),
        per_second: real(random),
        elapsed_ms: number(random),
        eta_ms: random.random_bool(0.5).then(|| number(random)),
        phase: text(random),
        scoring: None,
    };
    match random.random_range(0..9) {
        0 => CellState::Queued,
        1 => CellState::Running(progress),
        2 => CellState::Paused(progress),
        3 => CellState::Failed(problem(random)),
        4 => CellState::Cancelled(random.random_bool(0.5).then(|| Box::new(outcome(random, cell)))),
        5 => CellState::Skipped { because: text(random) },
        6 => CellState::Partial(Box::new(outcome(random, cell))),
        _ => CellState::Done(Box::new(outcome(random, cell))),
    }
}

fn outcome(random: &mut ChaCha8Rng, cell: &str) -> Outcome {
    let rows = match random.random_range(0..3) {
        0 => RowCount::Exact(number(random)),
        1 => RowCount::AtLeast(number(random)),
        _ => RowCount::Exact(57),
    };
    let relation = RelationInfo { name: cell.into(), rows, columns: columns() };
    Outcome {
        cell: cell.into(),
        relation: random.random_bool(0.8).then_some(relation),
        elapsed_ms: number(random),
        notes: vec![text(random)],
        partial: random.random_bool(0.3),
        ..Outcome::default()
    }
}

fn columns() -> Vec<Column> {
    let column = |name: &str, kind: &str| Column {
        name: name.into(),
        sql_type: kind.into(),
        role: None,
        guessed: false,
    };
    vec![column("query", "VARCHAR"), column("title\u{202e}", "VARCHAR"), column("score", "DOUBLE")]
}

/// Rows that may be fewer or more than asked for, or no rows at all.
fn page(random: &mut ChaCha8Rng, spec: PageSpec) -> Page {
    let rows =
        if random.random_bool(0.8) { spec.limit.min(200) as usize } else { random.random_range(0..300) };
    let texts: Vec<String> = (0..rows).map(|_| text(random)).collect();
    let reals: Vec<f64> = (0..rows).map(|_| real(random)).collect();
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("query", Arc::new(StringArray::from(texts.clone()))),
        ("title", Arc::new(StringArray::from(texts))),
        ("score", Arc::new(Float64Array::from(reals))),
    ];
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let mut ipc = writer.into_inner().unwrap();
    if random.random_bool(0.05) {
        ipc.truncate(random.random_range(0..ipc.len()));
    }
    Page { spec, total: RowCount::Exact(number(random)), columns: columns(), ipc }
}

//! What is fuzzed: functions of bytes that may only return. `tests/it/fuzz.rs` runs them over the corpus and
//! seeded mutations of it, in every test run; libFuzzer runs them for as long as one likes (`make fuzz`). What a
//! function checks beyond "does not panic" stands beside it.

use std::path::Path;
use std::sync::OnceLock;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use recscope::engine::model::{BertConfig, check_tokenizer, check_weights};
use recscope::engine::store::{Connection, SourceSpec, Store, StoreOptions};
use recscope::notebook::Notebook;
use recscope::notebook::check::Check;
use recscope::protocol::transport::{FrameReader, decode, encode};
use recscope::protocol::{Event, Outcome, Page, RelationInfo, Request, RowCount};
use recscope::screen::app::{App, Code, Key, Msg, Opening, update};
use recscope::screen::ui::theme::{Depth, Theme};
use recscope::screen::ui::views::{Look, view};
use recscope::util::cancel::Cancel;

/// Name, function, mutations in a test run.
pub type Target = (&'static str, fn(&[u8]), usize);

#[allow(dead_code)]
pub const TARGETS: &[Target] = &[
    ("notebook", notebook, 400),
    ("frames", frames, 2_000),
    ("heads", heads, 120),
    ("tokenizer", tokenizer, 1_000),
    ("safetensors", safetensors, 400),
    ("keys", keys, 150),
];

/// A notebook's text: parsing keeps every byte, and everything that is asked of a notebook answers.
pub fn notebook(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let notebook = Notebook::parse(&text);
    assert_eq!(notebook.print(), text, "a byte is lost");
    let (params, _) = notebook.params(&[("k".into(), "7".into())]);
    let _ = notebook.sources(&params);
    for fault in notebook.diagnostics() {
        assert!(fault.line >= 1 && fault.column >= 1, "{fault:?}");
    }
    let graph = notebook.graph(&params);
    let order = graph.order();
    for cell in notebook.cells() {
        let _ = notebook.spec(&cell.name, &params);
        let _ = graph.descendants(&cell.name);
        let edited = notebook.set_body(&cell.name, "x").print();
        assert_eq!(Notebook::parse(&edited).print(), edited);
    }
    assert!(order.len() <= notebook.cells().count());
    for line in text.lines().take(8) {
        let _ = Check::parse(line);
    }
}

/// A stream of frames from a peer that may be anybody: what is decoded is encoded to the same again.
pub fn frames(data: &[u8]) {
    let mut reader = FrameReader::with_limit(data, 1 << 20);
    while let Ok(Some(frame)) = reader.read() {
        assert!(frame.len() <= 1 << 20);
        message(&frame);
    }
    message(data);
}

fn message(bytes: &[u8]) {
    if let Ok(event) = decode::<Event>(bytes) {
        // NaN is not equal to itself: bytes are compared.
        let again = encode(&event).unwrap_or_default();
        let read = decode::<Event>(&again).map(|event| encode(&event).unwrap_or_default());
        assert_eq!(read.as_ref(), Ok(&again));
    }
    if let Ok(request) = decode::<Request>(bytes) {
        let again = encode(&request).unwrap_or_default();
        let read = decode::<Request>(&again).map(|request| encode(&request).unwrap_or_default());
        assert_eq!(read.as_ref(), Ok(&again));
    }
}

/// The heads of data files: TREC runs and judgments; CSV, JSON and compressed ones through the store. The first
/// byte says which.
pub fn heads(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let name = match kind % 8 {
        0 | 1 => {
            let text = String::from_utf8_lossy(data);
            let rows = recscope::cli::trec_rows(&text, kind % 8 == 0);
            assert!(rows.is_none_or(|rows| rows <= text.split(['\n', '\r']).count()));
            return;
        }
        2 => "a.csv",
        3 => "a.tsv",
        4 => "a.jsonl",
        5 => "a.csv.gz",
        6 => "a.csv.zst",
        _ => "a",
    };
    let Ok(folder) = tempfile::tempdir() else { return };
    if std::fs::write(folder.path().join(name), data).is_err() {
        return;
    }
    with_store(|connection| {
        // What is wrong is said in words; most is.
        let read =
            connection.register_source("fuzzed", &SourceSpec::path(name), folder.path(), &Cancel::new());
        match read {
            Ok(_) => drop(connection.drop_source("fuzzed")),
            Err(error) => assert!(!error.message.is_empty()),
        }
    });
}

fn with_store(work: impl FnOnce(&Connection)) {
    thread_local! {
        static STORE: Option<(Connection, Store)> = {
            let store = Store::open(&StoreOptions { threads: 1, ..StoreOptions::default() }).ok();
            store.and_then(|store| Some((store.connect().ok()?, store)))
        };
    }
    STORE.with(|store| {
        if let Some((connection, _)) = store {
            work(connection);
        }
    });
}

/// What stands between a tokenizer.json and a library that believes it. (The library itself is not called:
/// its panics are caught where it is used, and a fuzzer counts them.)
pub fn tokenizer(data: &[u8]) {
    let Ok(map) = serde_json::from_slice(data) else { return };
    if let Err(why) = check_tokenizer(&map) {
        assert!(!why.is_empty());
    }
}

/// Bytes of the fixture's weights, headers and all: a header that is mutated lies before as many numbers.
const WEIGHTS_BYTES: u64 = 108_776;
const CONFIG: &[u8] = include_bytes!("../../fixtures/architectures/bert-classifier/config.json");

/// The header of weights: what it says is held against the file and the model before a number is read.
pub fn safetensors(data: &[u8]) {
    static MODEL: OnceLock<Option<BertConfig>> = OnceLock::new();
    let Ok(folder) = tempfile::tempdir() else { return };
    let config = MODEL.get_or_init(|| {
        std::fs::write(folder.path().join("config.json"), CONFIG).ok()?;
        BertConfig::read(&folder.path().join("config.json")).ok()
    });
    let (Some(config), Ok(())) = (config, weights(&folder.path().join("model.safetensors"), data)) else {
        return;
    };
    if let Err(error) = check_weights(folder.path(), config) {
        assert!(!error.message.is_empty());
    }
}

/// The data, and a hole up to the length of sound weights.
fn weights(path: &Path, data: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, data)?;
    let length = WEIGHTS_BYTES.max(data.len() as u64);
    std::fs::OpenOptions::new().write(true).open(path)?.set_len(length)
}

const TEXT: &str = "---\nrecscope: 1\nparams: { k: 5 }\n---\n# 跑鞋\n\n```sql rows_of\nSELECT 1 AS x\n```\n\nwords\n\n\
                    ```metrics quality\nfrom = \"rows_of\"\n```\n\n```check good\nquality.mrr > {{k}}\n```\n";

/// Keys, pastes, sizes, ticks and an engine's events, as bytes have it: the screen's state takes them all, and
/// every state can be drawn at its size.
pub fn keys(data: &[u8]) {
    let opening = Opening {
        text: TEXT.into(),
        path: Some("n.md".into()),
        on_disk: Some(TEXT.into()),
        auto_run: data.len().is_multiple_of(2),
        ..Opening::default()
    };
    let (mut app, mut effects) = (App::new(opening), Vec::new());
    let look = Look::new(Theme::fallback(Depth::None));
    let mut rest = data;
    let mut now_ms = 0;
    update(&mut app, Msg::Resize { width: 80, height: 24 }, &mut effects);
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        let msg = next(*first, &mut rest, &mut now_ms);
        update(&mut app, msg, &mut effects);
        effects.clear();
        if first % 4 == 0 || rest.is_empty() {
            let _ = view(
                &app,
                &look,
                &mut Buffer::empty(Rect::new(0, 0, app.width.min(150), app.height.min(60))),
            );
        }
    }
    assert_eq!(Notebook::parse(&app.live_text()).print(), app.live_text());
}

const CODES: [Code; 16] = [
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
    Code::F(5),
    Code::Char('鞋'),
];

fn next(first: u8, rest: &mut &[u8], now_ms: &mut u64) -> Msg {
    let mut byte = || {
        let (byte, more) = rest.split_first().unwrap_or((&0, &[]));
        *rest = more;
        *byte
    };
    match first {
        // What can be typed is what is typed mostly.
        0x20..=0x7e => Msg::Key(Key::char(char::from(first))),
        0x01..=0x1a => Msg::Key(Key { ctrl: true, ..Key::char(char::from(first + 0x60)) }),
        0x80..=0xbf => Msg::Key(Key {
            code: CODES[usize::from(first % 16)],
            ctrl: first & 0x10 != 0,
            alt: first & 0x20 != 0,
            shift: first & 0x30 == 0x30,
        }),
        0xc0..=0xcf => {
            let length = usize::from(byte()).min(rest.len());
            let (text, more) = rest.split_at(length);
            *rest = more;
            Msg::Paste(String::from_utf8_lossy(text).into_owned())
        }
        0xd0..=0xd7 => Msg::Resize { width: u16::from(byte()), height: u16::from(byte()) / 4 },
        0xd8..=0xdf => {
            *now_ms += u64::from(byte()) * 40;
            Msg::Tick { now_ms: *now_ms }
        }
        0xe0 => Msg::EngineStarted,
        0xe1 => Msg::EngineGone("gone".into()),
        0xe2 => Msg::Resumed,
        0xe3 => Msg::Journaled(Err("full".into())),
        0xe4 => Msg::Copied(Ok("copied".into())),
        0xe5 => Msg::Models(Vec::new()),
        0xe6..=0xef => Msg::Engine(event(first, u64::from(byte()))),
        // An engine is another process: whatever it may say.
        0xf0..=0xff => {
            let length = usize::from(byte()).min(rest.len());
            let (bytes, more) = rest.split_at(length);
            *rest = more;
            decode(bytes).map_or(Msg::Resumed, Msg::Engine)
        }
        _ => Msg::Key(Key::char('\u{1F97E}')),
    }
}

fn event(kind: u8, number: u64) -> Event {
    let relation = RelationInfo {
        name: "rows_of".into(),
        rows: RowCount::Exact(number),
        columns: vec![Default::default(); usize::from(kind % 3)],
    };
    let outcome = Outcome { cell: "rows_of".into(), relation: Some(relation), ..Outcome::default() };
    let cell = |state| Event::Cell { job: number % 4, cell: "rows_of".into(), state };
    use recscope::protocol::CellState as State;
    match kind {
        0xe6 => cell(State::Done(Box::new(outcome))),
        0xe7 => cell(State::Queued),
        0xe8 => cell(State::Running(Default::default())),
        0xe9 => cell(State::Partial(Box::new(outcome))),
        0xea => cell(State::Cancelled(None)),
        0xeb => Event::JobEnded { job: number % 4, ok: true, elapsed_ms: number },
        0xec => Event::Page { slot: (number % 4) as u32, seq: number, result: Ok(Page::default()) },
        0xed => Event::Cancelling { job: number % 4 },
        0xee => Event::Completions { seq: number, from: number as usize, items: vec!["SELECT".into()] },
        _ => Event::Pulse { rss_bytes: number, cpu_busy: number as u32 },
    }
}

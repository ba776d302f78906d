//! JSON lines become chunks of rows: where lines end, how long one may be, which texts the model wants
//! of it, and what is wrong with it. A line is kept as it was written.

use std::io::{self, Read};
use std::ops::Range;

use super::fault::suggestion;
use super::fd::Input;
use super::object::{Object, is_key, text};
use super::run::{Kept, Rows, Wanted};
use super::{Fault, FaultKind};
use crate::engine::model::Chunk;
use crate::util::{figures, sanitise};

/// Longest line in bytes. Several lines are held at a time, so this bounds memory.
const MAX_LINE: usize = 8 << 20;
/// A chunk ends with the line that reaches either.
const CHUNK_ROWS: usize = 128;
const CHUNK_BYTES: usize = 32 << 10;
/// Bytes read at a time.
const READ: usize = 64 << 10;

/// Lines of a chunk, ready to have keys added.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Every line up to its closing brace, one after the other.
    pub text: String,
    pub lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    /// Where its text ends.
    pub end: usize,
    /// It has no keys of its own.
    pub empty: bool,
    /// Why it has no score, where that is to be told.
    pub error: Option<String>,
}

/// Reads rows until the input ends; `Err`: the rest cannot be read. What was read before has been sent.
pub(super) fn read(input: Input, wanted: &Wanted, send: &Rows) -> Result<(), Fault> {
    let mut reader = Reader::new(input);
    let mut batch = Batch::default();
    loop {
        let event = reader.next().map_err(|e| Fault::resource(format!("cannot read stdin: {e}")))?;
        let row = match &event {
            Event::Line(range) => row(reader.line(range), wanted),
            Event::TooLong => Err(Bad::new(format!("is longer than {}", figures::bytes(MAX_LINE as u64)))),
            Event::Pause | Event::End => Ok(None),
        };
        match row {
            Ok(Some(row)) => batch.push(row),
            Ok(None) => {}
            Err(bad) if wanted.skip_bad && !bad.fatal => batch.push_bad(&bad, reader.number),
            Err(bad) => {
                let _ = batch.send(send, false);
                return Err(bad.fault(reader.number));
            }
        }
        let pause = matches!(event, Event::Pause);
        if pause || matches!(event, Event::End) || batch.is_full() {
            // Nobody listens only where the job has ended.
            if batch.send(send, pause).is_err() || matches!(event, Event::End) {
                return Ok(());
            }
        }
    }
}

/// Rows on their way into a chunk.
#[derive(Default)]
struct Batch {
    first: Vec<Option<String>>,
    second: Vec<Option<String>>,
    kept: Lines,
}

impl Batch {
    fn push(&mut self, row: Row<'_>) {
        let [first, second] = row.texts;
        self.keep(first, second, row.object, None);
    }

    fn push_bad(&mut self, bad: &Bad<'_>, line: u64) {
        let object = bad.object.unwrap_or(Object { body: "{", empty: true });
        self.keep(None, None, object, Some(format!("line {line} {}", bad.what)));
    }

    fn keep(
        &mut self,
        first: Option<String>,
        second: Option<String>,
        object: Object<'_>,
        error: Option<String>,
    ) {
        self.first.push(first);
        self.second.push(second);
        self.kept.text.push_str(object.body);
        self.kept.lines.push(Line { end: self.kept.text.len(), empty: object.empty, error });
    }

    fn is_full(&self) -> bool {
        self.first.len() >= CHUNK_ROWS || self.kept.text.len() >= CHUNK_BYTES
    }

    fn send(&mut self, send: &Rows, pause: bool) -> Result<(), ()> {
        let Self { first, second, kept } = std::mem::take(self);
        if first.is_empty() && !pause {
            return Ok(());
        }
        let bytes = kept.text.len() + kept.lines.len() * size_of::<Line>();
        send.send(Ok(Chunk { first, second, keep: Kept::Lines(kept), bytes, pause })).map_err(|_| ())
    }
}

/// What the model and the writer need of a line.
struct Row<'a> {
    texts: [Option<String>; 2],
    object: Object<'a>,
}

/// Why a line has no score.
struct Bad<'a> {
    /// To be read behind "line 7".
    what: String,
    hint: Option<String>,
    /// The line is sound in itself and can be passed on.
    object: Option<Object<'a>>,
    /// No further line will be better.
    fatal: bool,
}

impl<'a> Bad<'a> {
    fn new(what: String) -> Self {
        Self { what, hint: None, object: None, fatal: false }
    }

    fn fault(self, line: u64) -> Fault {
        let fault = Fault::new(
            FaultKind::Data,
            format!("line {} {}", figures::thousands(i128::from(line)), self.what),
        );
        Fault { hint: self.hint, ..fault }
    }
}

/// Reads one line; `Ok(None)` where it is blank.
fn row<'a>(line: &'a [u8], wanted: &Wanted) -> Result<Option<Row<'a>>, Bad<'a>> {
    let line = std::str::from_utf8(line).map_err(|error| Bad {
        hint: Some("convert it first, e.g. iconv -f gb18030 -t utf-8".into()),
        ..Bad::new(format!("is not UTF-8 (byte {})", error.valid_up_to() + 1))
    })?;
    if line.trim().is_empty() {
        return Ok(None);
    }
    let object = Object::parse(line).map_err(|what| Bad {
        hint: Some(format!("it begins with: {}", sanitise::excerpt(line.trim_start(), 60))),
        ..Bad::new(what)
    })?;
    let mut texts = [const { None }; 2];
    let mut found = [false; 2];
    for (key, value) in object.members() {
        if let Some(taken) = wanted.added.iter().find(|name| is_key(key, name)) {
            return Err(Bad {
                hint: Some("rename it first: what scoring adds is written under this name".into()),
                fatal: true,
                ..Bad::new(format!("already has a key `{taken}`"))
            });
        }
        for ((column, slot), found) in wanted.columns.iter().zip(&mut texts).zip(&mut found) {
            if is_key(key, column) {
                *found = true;
                // A key that stands twice counts as most parsers take it: the last one.
                *slot = text(value).map(|text| text.map(|text| text.into_owned())).map_err(|what| Bad {
                    object: Some(object),
                    ..Bad::new(format!("has a `{column}` that {what}"))
                })?;
            }
        }
    }
    let missing = wanted.columns.iter().zip(found).find(|(_, found)| !found);
    match missing {
        Some((column, _)) if !wanted.missing_is_null => Err(no_key(column, object)),
        _ => Ok(Some(Row { texts, object })),
    }
}

fn no_key<'a>(column: &str, object: Object<'a>) -> Bad<'a> {
    let keys: Vec<&str> = object.members().map(|(key, _)| key.trim_matches('"')).take(100).collect();
    let leaves_out = "where a missing key stands for null, say --missing null";
    let hint = match suggestion(column, &keys) {
        Some(there) => format!("{there}; {leaves_out}"),
        None => leaves_out.to_string(),
    };
    Bad { hint: Some(hint), object: Some(object), ..Bad::new(format!("has no key `{column}`")) }
}

enum Event {
    /// A line, without its line break.
    Line(Range<usize>),
    /// A line was longer than is read; the next event is of the line behind it.
    TooLong,
    /// Reading on would wait; told once per wait.
    Pause,
    End,
}

/// Finds lines.
struct Reader {
    input: Input,
    bytes: Vec<u8>,
    /// Where the line at hand begins, and how far it was searched for its end.
    start: usize,
    searched: usize,
    /// Number of the last line that was given out, from 1.
    number: u64,
    /// The rest of a line that is too long.
    skipping: bool,
    paused: bool,
    ended: bool,
}

impl Reader {
    fn new(input: Input) -> Self {
        let (bytes, number) = (Vec::new(), 0);
        Self { input, bytes, start: 0, searched: 0, number, skipping: false, paused: false, ended: false }
    }

    fn next(&mut self) -> io::Result<Event> {
        loop {
            if let Some(range) = self.cut() {
                if !std::mem::take(&mut self.skipping) {
                    self.number += 1;
                    return Ok(Event::Line(range));
                }
                continue;
            }
            if self.skipping {
                self.bytes.clear();
                (self.start, self.searched) = (0, 0);
            } else if self.bytes.len() - self.start > MAX_LINE {
                self.skipping = true;
                self.number += 1;
                return Ok(Event::TooLong);
            }
            if self.ended {
                return Ok(self.last());
            }
            if !self.paused && !self.input.waiting() {
                self.paused = true;
                return Ok(Event::Pause);
            }
            self.read()?;
        }
    }

    /// The next complete line among the bytes that are there.
    fn cut(&mut self) -> Option<Range<usize>> {
        let rest = self.bytes.get(self.searched..)?;
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let range = self.start..self.searched + at;
        self.start = range.end + 1;
        self.searched = self.start;
        Some(range)
    }

    /// What stands behind the last line break.
    fn last(&mut self) -> Event {
        let range = self.start..self.bytes.len();
        if range.is_empty() {
            return Event::End;
        }
        self.start = range.end;
        self.number += 1;
        Event::Line(range)
    }

    fn read(&mut self) -> io::Result<()> {
        self.bytes.drain(..self.start);
        (self.start, self.searched) = (0, self.bytes.len());
        let had = self.bytes.len();
        self.bytes.resize(had + READ, 0);
        let read = self.input.read(self.bytes.get_mut(had..).unwrap_or_default());
        let n = *read.as_ref().unwrap_or(&0);
        self.bytes.truncate(had + n);
        self.ended = read? == 0;
        self.paused = false;
        Ok(())
    }

    /// The bytes of a line; a byte order mark before the first one is no part of it.
    fn line(&self, range: &Range<usize>) -> &[u8] {
        let line = self.bytes.get(range.clone()).unwrap_or_default();
        if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
    }
}

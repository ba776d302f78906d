//! The three threads of `recscope-score` and what ends them: one reads, this one computes, one
//! writes. Channels of a few chunks lie between, so that memory is bounded and nobody waits for
//! another for long.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::args::{Missing, PipeArgs, RowFormat};
use super::detect::detect;
use super::encode::Encoder;
use super::fd::{Input, Output};
use super::frames::Frames;
use super::lines::Lines;
use super::slices::Slice;
use super::talk::{Signals, Ticker, summary};
use super::{Fault, FaultKind, lines, slices, talk};
use crate::engine::model::cache::{CacheOptions, Memo, ScoreCache};
use crate::engine::model::{
    Chunk, Model, RowStream, ScoreProgress, ScoreReport, Scored, StreamOptions, score_columns,
};
use crate::util::cancel::Cancel;
use crate::util::{figures, sanitise, says_off};

/// Chunks that are read ahead.
const AHEAD: usize = 16;
/// Windows that wait to be written.
const BEHIND: usize = 1;
/// Bytes that are looked at to find out what they are; more than this is blank lines.
const LOOK_BYTES: usize = 64 << 10;
/// How often a wait for the first bytes looks whether a signal has come.
const LOOK: Duration = Duration::from_millis(50);

/// What is asked of every row.
pub(super) struct Wanted {
    /// One or two columns.
    pub columns: Vec<String>,
    /// Columns that scoring adds.
    pub added: Vec<String>,
    pub missing_is_null: bool,
    pub skip_bad: bool,
}

/// Rows as they came, to be written back.
#[derive(Debug)]
pub(super) enum Kept {
    Lines(Lines),
    Slice(Slice),
}

impl Kept {
    /// Rows that are passed on with an error instead of a score.
    fn bad(&self) -> u64 {
        match self {
            Kept::Lines(lines) => lines.lines.iter().filter(|line| line.error.is_some()).count() as u64,
            Kept::Slice(_) => 0,
        }
    }
}

/// Chunks of rows on their way to the model.
pub(super) type Rows = Sender<Result<Chunk<Kept>, Fault>>;

/// What is known before the first row.
enum Start {
    Lines,
    Arrow(SchemaRef),
}

enum Job {
    Window(Vec<Scored<Kept>>),
    /// All rows have come.
    Complete,
}

/// Why the writer has ended before its time.
enum Unwritten {
    NobodyReads,
    Failed(Fault),
}

pub(super) fn run(args: &PipeArgs) -> Result<u8, Fault> {
    let (kind, columns) = args.text.columns()?;
    args.model.dtype()?;
    let signals = Signals::watch();
    let model = Model::load(&args.model.folder, &args.model.load_options()?)?;
    let options = options(args, &model)?;
    let dtype = options.score.dtype;
    let (memo, notes) = (options.score.memo.clone(), Arc::clone(&options.score.notes));
    let mut stream = RowStream::new(&model, kind, options)?;
    let wanted = wanted(args, columns, score_columns(&model.info().labels))?;
    let added = wanted.added.clone();
    if io::stdin().is_terminal() && !args.quiet {
        talk::line("reading JSON lines from the terminal; Ctrl-D ends them");
    }
    let (start, chunks) = start_reader(wanted, args.format)?;
    let encoder = match wait(&start, &signals) {
        None => return Ok(signals.exit()),
        Some(start) => match start? {
            Start::Lines => Encoder::lines(&added, io::stdout().is_terminal()),
            Start::Arrow(_) if io::stdout().is_terminal() => {
                return Err(Fault::usage("an Arrow stream is not for a terminal").hint("redirect stdout"));
            }
            Start::Arrow(schema) => Encoder::arrow(slices::with_scores(&schema, &added))?,
        },
    };
    let (windows, jobs) = bounded(BEHIND);
    let cancel = Cancel::new();
    let writer = start_writer(encoder, jobs, cancel.clone())?;
    let mut ticker = if args.quiet { Ticker::silent() } else { Ticker::new() };
    let (progress, mut bad) = (ScoreProgress::default(), 0);
    let device = &model.info().device;
    let scored = stream.run(&chunks, &signals.finish, &cancel, &progress, |window, report| {
        bad += window.iter().map(|scored| scored.keep.bad()).sum::<u64>();
        ticker.show(&format!("scoring: {}{}", summary(report, true), talk::place(device, dtype)));
        windows.send(Job::Window(window)).map_err(|_| Fault::new(FaultKind::Cancelled, "nobody reads on"))
    });
    if scored.is_ok() && signals.exit() == 0 {
        // A writer that has ended says below why.
        let _ = windows.send(Job::Complete);
    }
    drop(windows);
    let written = writer.join().unwrap_or_else(|_| Err(Unwritten::Failed(Fault::bug("writing panicked"))));
    ticker.clear();
    if !args.quiet && stream.report().rows > 0 {
        tell(stream.report(), stream.remembers_all(), bad);
    }
    for note in notes.lines().into_iter().chain(memo.and_then(|memo| memo.trouble())) {
        talk::line(&format!("note: {}", sanitise::excerpt(&note, 400)));
    }
    match (written, scored) {
        (Err(Unwritten::Failed(fault)), _) => Err(fault),
        // Whoever reads has had what it wanted.
        (Err(Unwritten::NobodyReads), _) => Ok(signals.exit()),
        (Ok(()), Err(fault)) => Err(fault),
        (Ok(()), Ok(())) => Ok(signals.exit()),
    }
}

fn tell(report: &ScoreReport, different: bool, bad: u64) {
    // Bad lines went through without a text.
    let report = ScoreReport { empty: report.empty.saturating_sub(bad), ..report.clone() };
    let bad = if bad > 0 { format!("; {} bad", figures::thousands(i128::from(bad))) } else { String::new() };
    talk::line(&format!("{}{bad}", summary(&report, different)));
}

fn options(args: &PipeArgs, model: &Model) -> Result<StreamOptions, Fault> {
    let mut score = args.model.score_options(model)?;
    score.threads = args.threads.map_or(score.threads, usize::from);
    score.memo = memo(args);
    score.batch_tokens = args.batch_tokens.map_or(score.batch_tokens, |n| n as usize);
    Ok(StreamOptions { score, ..StreamOptions::default() })
}

/// What is known from earlier runs, where a folder for it is named.
fn memo(args: &PipeArgs) -> Option<Arc<Memo>> {
    let folder = args.cache.clone().filter(|f| !f.as_os_str().is_empty() && !says_off(f.as_os_str()))?;
    Some(Memo::new(&ScoreCache::new(CacheOptions { folder: Some(folder), ..CacheOptions::default() })))
}

fn wanted(args: &PipeArgs, columns: Vec<String>, mut added: Vec<String>) -> Result<Wanted, Fault> {
    if args.skip_bad && args.format == Some(RowFormat::Arrow) {
        return Err(
            Fault::usage("--skip-bad is for JSON lines").hint("a batch of Arrow is sound or it is not")
        );
    }
    if args.skip_bad {
        added.push("error".into());
    }
    let missing_is_null = args.missing == Missing::Null;
    Ok(Wanted { columns, added, missing_is_null, skip_bad: args.skip_bad })
}

type Started = Receiver<Result<Start, Fault>>;
type Chunks = Receiver<Result<Chunk<Kept>, Fault>>;

/// The reader's thread is never joined: it may wait for rows for ever, and ends with the process.
fn start_reader(wanted: Wanted, format: Option<RowFormat>) -> Result<(Started, Chunks), Fault> {
    let input = Input::new(descriptor(io::stdin())?);
    let ((start, started), (rows, chunks)) = (bounded(1), bounded(AHEAD));
    let read = move || {
        let read = catch_unwind(AssertUnwindSafe(|| read(input, &wanted, format, &start, &rows)));
        let read = read.unwrap_or_else(|_| Err(Fault::bug("reading rows panicked")));
        if let Err(fault) = read {
            // Before the first row or behind the last one: one of the two is listened to.
            let _ = start.try_send(Err(fault.clone()));
            let _ = rows.send(Err(fault));
        }
    };
    Builder::new().name("read".into()).spawn(read).map_err(no_thread)?;
    Ok((started, chunks))
}

fn read(
    mut input: Input,
    wanted: &Wanted,
    format: Option<RowFormat>,
    start: &Sender<Result<Start, Fault>>,
    rows: &Rows,
) -> Result<(), Fault> {
    let format = match format {
        Some(format) => format,
        None => look(&mut input)?,
    };
    match format {
        RowFormat::Jsonl => {
            let _ = start.send(Ok(Start::Lines));
            lines::read(input, wanted, rows)
        }
        RowFormat::Arrow => {
            let frames = Frames::open(input)?;
            let places = slices::find(&frames.schema(), wanted)?;
            let _ = start.send(Ok(Start::Arrow(frames.schema())));
            slices::read(frames, &places, rows)
        }
    }
}

/// Looks at the first bytes until they tell what comes.
fn look(input: &mut Input) -> Result<RowFormat, Fault> {
    let mut ended = false;
    loop {
        let enough = ended || input.ahead().len() >= LOOK_BYTES;
        if let Some(found) = detect(input.ahead(), enough) {
            return found;
        }
        ended = !input.look_further().map_err(|e| Fault::resource(format!("cannot read stdin: {e}")))?;
    }
}

fn start_writer(
    mut encoder: Encoder,
    jobs: Receiver<Job>,
    cancel: Cancel,
) -> Result<JoinHandle<Result<(), Unwritten>>, Fault> {
    let mut output = Output::new(descriptor(io::stdout())?);
    let write = move || {
        let mut put = |bytes: Result<Vec<u8>, Fault>| match output.write(&bytes.map_err(Unwritten::Failed)?) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Unwritten::NobodyReads),
            Err(error) => Err(Unwritten::Failed(
                Fault::resource(format!("cannot write to stdout: {error}"))
                    .hint("rows before this are written"),
            )),
            Ok(()) => Ok(()),
        };
        let mut work = || {
            put(Ok(encoder.start()))?;
            for job in &jobs {
                put(match job {
                    Job::Window(window) => encoder.rows(window),
                    Job::Complete => encoder.end(),
                })?;
            }
            Ok(())
        };
        let written = work();
        if written.is_err() {
            // What is being computed is for nobody.
            cancel.cancel();
        }
        written
    };
    Builder::new().name("write".into()).spawn(write).map_err(no_thread)
}

/// Waits for the start; `None`: a signal came first.
fn wait<T>(started: &Receiver<Result<T, Fault>>, signals: &Signals) -> Option<Result<T, Fault>> {
    while !signals.finish.is_cancelled() {
        match started.recv_timeout(LOOK) {
            Ok(start) => return Some(start),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Some(Err(Fault::bug("the reader has gone before it began")));
            }
        }
    }
    None
}

fn descriptor(of: impl AsFd) -> Result<OwnedFd, Fault> {
    let own = of.as_fd().try_clone_to_owned();
    own.map_err(|error| Fault::resource(format!("stdin or stdout cannot be used: {error}")))
}

fn no_thread(error: io::Error) -> Fault {
    Fault::resource(format!("no thread can be started: {error}"))
}

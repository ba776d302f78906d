//! From distinct inputs to their outputs: tokenised and sorted a window at a time, cut into batches, and
//! the batches shared between cores, or between GPUs. Tokenising the next window overlaps with computing.

use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::batch::plan;
use super::bert::Path;
use super::device::{Pass, Seat};
use super::error::{ModelError, ModelErrorKind};
use super::fused::Scratch;
use super::load::Model;
use super::progress::ScoreProgress;
use super::score::ScoreOptions;
use super::tokens::Ids;
use super::units::{Unit, cost};
use super::workers::{self, Crew, Outcome};
use crate::util::cancel::Cancel;

/// How many inputs are tokenised and sorted together: few at first, so that the first results come
/// at once and in about the input's order; more later, so that little is padded.
const WINDOW_FIRST: usize = 256;
const WINDOW_MOST: usize = 4096;
/// A GPU goes through a window in some milliseconds.
const WINDOW_MOST_DEVICE: usize = 8192;
/// Batches that wait for each GPU: what it computes while the next window is tokenised.
const AHEAD_OF_DEVICE: usize = 8;

/// Tokens of a batch: on the CPU what stays in a core's cache, on a GPU what keeps all of it busy.
const CPU_TOKENS: usize = 384;
const CPU_PADDED_TOKENS: usize = 1024;
const DEVICE_TOKENS: usize = 16_384;

/// A unit that has been computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Computed {
    /// Its number among the job's units.
    pub unit: usize,
    pub tokens: u32,
    pub truncated: bool,
}

pub(super) fn tokens_of(done: &[Computed]) -> u64 {
    done.iter().map(|done| u64::from(done.tokens)).sum()
}

/// Units by their numbers, tokenised.
type Batch = Vec<(usize, Ids)>;
type Done = (Vec<Computed>, Vec<Vec<f32>>);

impl Model {
    /// Tokenises, sorts, batches and computes the units that `which` numbers; `done` gets them as they
    /// come. Which device computes which batch is left to chance; outputs do not depend on it beyond
    /// the rounding of the device's number type.
    pub(super) fn compute(
        &self,
        units: &[Unit],
        which: &[u32],
        options: &ScoreOptions,
        cancel: &Cancel,
        progress: &ScoreProgress,
        mut done: impl FnMut(Vec<Computed>, Vec<Vec<f32>>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        self.check_dtype(options.dtype)?;
        if which.is_empty() {
            // All was known: no device is needed, not even one that is lost.
            return Ok(());
        }
        let pass = self.pass(options.path, options.dtype, cancel);
        let seats = self.ready_seats(&pass, options)?;
        let crew = match self.on_cpu() {
            true => Crew::of(workers::worker_count(options.threads)),
            // One thread each: cuBLAS's handle of a device must not work on two streams at once.
            false => Crew { workers: seats.len(), ahead: AHEAD_OF_DEVICE * seats.len() },
        };
        let mut queue =
            Queue { model: self, units, which, start: 0, window: WINDOW_FIRST, waiting: Vec::new() };
        ScoreProgress::add(&progress.inputs_open, which.len() as u64);
        ScoreProgress::add(&progress.bytes, queue.bytes(which));
        let next = || {
            let limit = seats.iter().map(|seat| seat.limit()).max().unwrap_or(usize::MAX);
            queue.next(self.batch_tokens(options).min(limit), cancel, progress)
        };
        let state = |number: usize| (seats.get(number).copied(), Scratch::default());
        let work = |(seat, scratch): &mut (Option<&Seat>, Scratch), batch: Batch| {
            let rows: Vec<_> = batch.iter().map(|(_, ids)| (&ids.ids[..], &ids.type_ids[..])).collect();
            let outputs = match seat {
                Some(seat) if !seat.on_cpu => seat.compute(&rows, &pass, &options.notes),
                _ => self.forward(&rows, (options.path, options.dtype), scratch, cancel),
            };
            match outputs {
                Ok(outputs) => Outcome::Done((computed(&batch), outputs)),
                Err(error) if error.kind == ModelErrorKind::DeviceLost => Outcome::GaveUp(batch, error),
                Err(error) => Outcome::Failed(error),
            }
        };
        progress.computing.store(true, Relaxed);
        let ended = workers::run(crew, next, state, work, |(units, outputs): Done| {
            ScoreProgress::add(&progress.tokens_done, tokens_of(&units));
            ScoreProgress::add(&progress.inputs_done, units.len() as u64);
            let truncated = units.iter().filter(|unit| unit.truncated).count();
            ScoreProgress::add(&progress.truncated, truncated as u64);
            done(units, outputs)
        });
        progress.computing.store(false, Relaxed);
        self.tell_lost(&seats, options);
        ended
    }

    /// The devices that still answer, with their weights in place; an error where there is none.
    fn ready_seats(&self, pass: &Pass, options: &ScoreOptions) -> Result<Vec<&Seat>, ModelError> {
        let mut ready = Vec::new();
        let mut lost = None;
        for seat in &self.seats {
            match seat.check().and_then(|()| seat.prepare(pass)) {
                Ok(()) => ready.push(seat),
                Err(error) if error.kind == ModelErrorKind::DeviceLost => lost = Some(error),
                Err(error) => return Err(error),
            }
        }
        match lost {
            Some(error) if ready.is_empty() => Err(error),
            Some(_) => {
                self.tell_lost(&self.seats.iter().collect::<Vec<_>>(), options);
                Ok(ready)
            }
            None => Ok(ready),
        }
    }

    /// Notes those of the devices that are lost, where others do their work; where there is none, the
    /// error says it.
    fn tell_lost(&self, seats: &[&Seat], options: &ScoreOptions) {
        let lost: Vec<(&str, String)> =
            seats.iter().filter_map(|seat| Some((seat.name.as_str(), seat.lost()?))).collect();
        for (name, why) in lost.iter().filter(|_| lost.len() < seats.len()) {
            options.notes.lost(name, why);
        }
    }

    /// The budget of a batch as it was asked for, or what suits the device.
    fn batch_tokens(&self, options: &ScoreOptions) -> usize {
        let fused = options.path == Path::Fused && self.has_fused_path();
        match (options.batch_tokens, fused, self.on_cpu()) {
            (0, true, _) => CPU_TOKENS,
            (0, false, true) => CPU_PADDED_TOKENS,
            (0, false, false) => DEVICE_TOKENS,
            (asked, ..) => asked,
        }
    }
}

fn computed(batch: &Batch) -> Vec<Computed> {
    let done = batch.iter().map(|(unit, ids)| Computed {
        unit: *unit,
        tokens: ids.ids.len() as u32,
        truncated: ids.truncated,
    });
    done.collect()
}

/// The inputs still to be computed, tokenised a window at a time.
struct Queue<'a> {
    model: &'a Model,
    units: &'a [Unit<'a>],
    which: &'a [u32],
    /// Where the next window begins in `which`, and how long it is.
    start: usize,
    window: usize,
    /// Batches of the present window, the next one last.
    waiting: Vec<Batch>,
}

impl Queue<'_> {
    fn next(
        &mut self,
        budget: usize,
        cancel: &Cancel,
        progress: &ScoreProgress,
    ) -> Result<Option<Batch>, ModelError> {
        let most = if self.model.on_cpu() { WINDOW_MOST } else { WINDOW_MOST_DEVICE };
        while self.waiting.is_empty() && self.start < self.which.len() {
            let end = self.which.len().min(self.start + self.window);
            let numbers = self.which.get(self.start..end).unwrap_or_default();
            self.waiting = self.tokenise(numbers, budget, cancel)?;
            self.waiting.reverse();
            let tokens = self.waiting.iter().flatten().map(|(_, ids)| ids.ids.len() as u64).sum();
            ScoreProgress::add(&progress.tokens_sized, tokens);
            ScoreProgress::add(&progress.bytes_sized, self.bytes(numbers));
            (self.start, self.window) = (end, most.min(self.window * 4));
        }
        cancel.check()?;
        Ok(self.waiting.pop())
    }

    /// One window, cut into batches. The CPU's cores have batches to compute meanwhile, so there it is
    /// one thread's work; a GPU would wait for one thread, so there it is everybody's.
    fn tokenise(&self, numbers: &[u32], budget: usize, cancel: &Cancel) -> Result<Vec<Batch>, ModelError> {
        let one = |number: &u32| {
            cancel.check()?;
            let number = *number as usize;
            let Some((query, text)) = self.units.get(number) else { return Ok(None) };
            Ok(Some((number, self.model.tokens.ids(query, *text)?)))
        };
        let mut window: Vec<Option<(usize, Ids)>> = match self.model.on_cpu() {
            true => numbers.iter().map(one).collect::<Result<_, ModelError>>()?,
            false => numbers.par_iter().map(one).collect::<Result<_, ModelError>>()?,
        };
        window.retain(Option::is_some);
        let lengths: Vec<usize> = window.iter().flatten().map(|(_, ids)| ids.ids.len()).collect();
        let batches = plan(&lengths, budget, self.model.token_step()).into_iter();
        Ok(batches
            .map(|batch| batch.into_iter().filter_map(|i| window.get_mut(i)?.take()).collect())
            .collect())
    }

    fn bytes(&self, numbers: &[u32]) -> u64 {
        let units = numbers.iter().filter_map(|number| self.units.get(*number as usize));
        units.map(|unit| cost(*unit, self.model.tokens.max_tokens()) as u64).sum()
    }
}

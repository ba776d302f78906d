//! Between a scoring job and the cache: which of its inputs are known, and keeping those that get
//! computed. What goes into a key is decided here.

use super::bert::Path;
use super::cache::{Entry, Key, Memo, Origin, ShelfId};
use super::compute::Computed;
use super::error::ModelError;
use super::fused::{Isa, KERNELS};
use super::heads::Head;
use super::load::Model;
use super::progress::ScoreProgress;
use super::score::{ScoreInputs, ScoreOptions};
use super::units::Unit;
use crate::util::cancel::Cancel;

/// Keys looked up at a time: enough to join reads, few enough to show rows at once.
const AT_A_TIME: usize = 1 << 14;
/// Beside other processes, a share is computed in so many parts, to see what the others have done meanwhile.
const PARTS: usize = 4;
/// Units of a part, at least: some batches for every core.
const LEAST_PART: usize = 64;

impl Model {
    /// Gives what every unit gives: first what the cache knows, then what is computed for the lack of it.
    /// `rows`: how many the units are of. Where other processes compute for the same shelf, each begins with
    /// a share of its own and takes over what the others have done meanwhile.
    pub(super) fn complete(
        &self,
        (units, rows): (&[Unit], u64),
        id: &ShelfId,
        options: &ScoreOptions,
        cancel: &Cancel,
        progress: &ScoreProgress,
        mut found: impl FnMut(Found) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let recall = options.memo.as_deref().map(|memo| Recall::begin(memo, id, units));
        let mut left: Vec<u32> = (0..units.len() as u32).collect();
        let mut shared = false;
        for first in std::iter::once(true).chain(std::iter::repeat(false)) {
            let mut later = Vec::new();
            if let Some(recall) = &recall {
                left = recall.unknown(&left, cancel, &mut found)?;
                later = recall.keep_for_later(&mut left, !std::mem::replace(&mut shared, true));
            }
            if first {
                ScoreProgress::add(&progress.rows_seen, rows);
            }
            self.compute(units, &left, options, cancel, progress, |done, outputs| {
                if let Some(recall) = &recall {
                    recall.keep(&done, &outputs);
                }
                found(Found::Computed(done, outputs))
            })?;
            if later.is_empty() {
                break;
            }
            if let Some(recall) = &recall {
                recall.memo.exchange();
            }
            left = later;
        }
        Ok(())
    }

    /// Everything beside its texts that decides an input's output. Two devices or two kernels agree
    /// within 1e-5 only, so they do not answer for each other: with and without the cache, a score is
    /// the same to the bit.
    pub(super) fn shelf_id(&self, inputs: &ScoreInputs, options: &ScoreOptions) -> ShelfId {
        let info = &self.info;
        let ours = options.path == Path::Fused && self.encoder.own().is_some();
        let kernels = match (ours, self.on_cpu()) {
            (true, true) => format!("fused {KERNELS} {}", Isa::detect().name()),
            (true, false) => "packed".to_owned(),
            (false, _) => "candle".to_owned(),
        };
        let device = info.device.split(':').next().unwrap_or_default();
        let template = match inputs {
            ScoreInputs::Text(_) => "text",
            ScoreInputs::Pair(..) => "pair",
            ScoreInputs::Embed(..) => "side",
        };
        ShelfId {
            model_hash: info.hash.clone(),
            model_name: info.name.clone(),
            arithmetic: format!("{} {device} {kernels}", options.dtype),
            template: template.into(),
            max_tokens: info.max_tokens,
            width: match &self.head {
                Head::Embedding(_) => info.hidden,
                Head::Classifier { labels, .. } => labels.len(),
            },
        }
    }
}

/// What was found of some units.
pub(super) enum Found {
    /// The cache had it, from another job or process.
    Cached(Known),
    /// This job has computed it before.
    Again(Known),
    Computed(Vec<Computed>, Vec<Vec<f32>>),
}

/// Units whose output is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub units: Vec<usize>,
    pub outputs: Vec<Vec<f32>>,
    /// Those that this job meets for the first time, and those of them that were cut.
    pub inputs: u64,
    pub truncated: u64,
}

/// The keys of a job's units, and the memo that knows some. When it goes, what was kept is written.
struct Recall<'a> {
    memo: &'a Memo,
    keys: Vec<Key>,
}

impl<'a> Recall<'a> {
    fn begin(memo: &'a Memo, id: &ShelfId, units: &[Unit]) -> Self {
        memo.begin(id);
        Self { memo, keys: units.iter().map(|(first, second)| Key::of(first, *second)).collect() }
    }

    /// Gives what is known of some units; the others, in their order.
    fn unknown(
        &self,
        units: &[u32],
        cancel: &Cancel,
        found: &mut impl FnMut(Found) -> Result<(), ModelError>,
    ) -> Result<Vec<u32>, ModelError> {
        let mut unknown = Vec::new();
        for units in units.chunks(AT_A_TIME) {
            cancel.check()?;
            let keys = units.iter().filter_map(|unit| self.keys.get(*unit as usize).copied());
            let keys: Vec<Key> = keys.collect();
            let mut missing = vec![true; keys.len()];
            let (mut cached, mut own) = (Known::default(), Known::default());
            for hit in self.memo.find(&keys) {
                if let Some(slot) = missing.get_mut(hit.number) {
                    *slot = false;
                }
                let known = if hit.origin == Origin::Job { &mut own } else { &mut cached };
                known.inputs += u64::from(hit.origin == Origin::Cache);
                known.truncated += u64::from(hit.origin == Origin::Cache && hit.entry.truncated);
                known.units.extend(units.get(hit.number).map(|unit| *unit as usize));
                known.outputs.push(hit.entry.output);
            }
            unknown.extend(units.iter().zip(missing).filter_map(|(unit, missing)| missing.then_some(*unit)));
            found(Found::Cached(cached))?;
            found(Found::Again(own))?;
        }
        Ok(unknown)
    }

    /// Leaves of the units to compute those that are due now, and gives the rest: none, unless others compute
    /// for the same shelf. `first`: this process's share is still to be chosen.
    fn keep_for_later(&self, units: &mut Vec<u32>, first: bool) -> Vec<u32> {
        let (place, many) = self.memo.company();
        if many < 2 {
            return Vec::new();
        }
        if first && !units.is_empty() {
            let start = place * units.len() / many;
            units.rotate_left(start);
        }
        let part = (units.len() / (PARTS * many)).max(LEAST_PART);
        units.split_off(part.min(units.len()))
    }

    fn keep(&self, done: &[Computed], outputs: &[Vec<f32>]) {
        for (done, output) in done.iter().zip(outputs) {
            if let Some(key) = self.keys.get(done.unit) {
                let (tokens, truncated) = (done.tokens, done.truncated);
                self.memo.put(*key, &Entry { output: output.clone(), tokens, truncated });
            }
        }
    }
}

impl Drop for Recall<'_> {
    fn drop(&mut self) {
        self.memo.rest();
    }
}

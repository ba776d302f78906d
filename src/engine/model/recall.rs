//! Between a scoring job and the cache: which of its inputs are known, and keeping those that get
//! computed. What goes into a key is decided here.

use super::bert::Path;
use super::cache::{Entry, Key, Memo, Origin, ShelfId};
use super::compute::Computed;
use super::error::ModelError;
use super::fused::{Isa, KERNELS};
use super::heads::Head;
use super::load::Model;
use super::score::{ScoreInputs, ScoreOptions};
use super::units::Unit;
use crate::util::cancel::Cancel;

/// Keys looked up at a time: enough to join reads, few enough to show rows at once.
const AT_A_TIME: usize = 1 << 14;

impl Model {
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
pub(super) struct Recall<'a> {
    memo: &'a Memo,
    keys: Vec<Key>,
}

impl<'a> Recall<'a> {
    pub fn begin(memo: &'a Memo, id: &ShelfId, units: &[Unit]) -> Self {
        memo.begin(id);
        Self { memo, keys: units.iter().map(|(first, second)| Key::of(first, *second)).collect() }
    }

    /// Gives what is known, first from the cache, then what the job itself has computed before; the
    /// numbers of the other units, ascending.
    pub fn known(
        &self,
        cancel: &Cancel,
        mut take: impl FnMut(Known, bool) -> Result<(), ModelError>,
    ) -> Result<Vec<u32>, ModelError> {
        let mut unknown = Vec::new();
        for (at, keys) in self.keys.chunks(AT_A_TIME).enumerate() {
            cancel.check()?;
            let base = at * AT_A_TIME;
            let mut missing = vec![true; keys.len()];
            let (mut cached, mut own) = (Known::default(), Known::default());
            for hit in self.memo.find(keys) {
                if let Some(slot) = missing.get_mut(hit.number) {
                    *slot = false;
                }
                let known = if hit.origin == Origin::Job { &mut own } else { &mut cached };
                known.inputs += u64::from(hit.origin == Origin::Cache);
                known.truncated += u64::from(hit.origin == Origin::Cache && hit.entry.truncated);
                known.units.push(base + hit.number);
                known.outputs.push(hit.entry.output);
            }
            unknown
                .extend((base as u32..).zip(missing).filter_map(|(unit, missing)| missing.then_some(unit)));
            take(cached, true)?;
            take(own, false)?;
        }
        Ok(unknown)
    }

    pub fn keep(&self, done: &[Computed], outputs: &[Vec<f32>]) {
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

//! For tests only: devices that lie on the CPU but are treated as GPUs are, and fail when they are told to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::seat::Seat;
use crate::engine::model::encoder::Encoder;
use crate::engine::model::error::ModelError;
use crate::engine::model::forward::Row;
use crate::engine::model::load::{Model, device_names};

/// How cudarc prints the errors that matter.
pub(crate) const NO_MEMORY: &str = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";
pub(crate) const ILLEGAL: &str =
    "DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")";

/// Given the lengths of a batch's rows, what the driver says, if anything.
type Strike = dyn Fn(&[usize]) -> Option<&'static str> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Fault(Arc<Strike>);

impl Fault {
    pub fn new(strike: impl Fn(&[usize]) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        Self(Arc::new(strike))
    }

    pub fn never() -> Self {
        Self::new(|_| None)
    }

    /// A device on which no more than `tokens` fit, padding counted.
    pub fn memory_of(tokens: usize) -> Self {
        let padded = |lengths: &[usize]| lengths.len() * lengths.iter().max().copied().unwrap_or(0);
        Self::new(move |lengths| (padded(lengths) > tokens).then_some(NO_MEMORY))
    }

    /// A device that is lost at its `n`-th batch, counted from 1.
    pub fn lost_at(n: usize) -> Self {
        let count = std::sync::atomic::AtomicUsize::new(0);
        Self::new(move |_| {
            (count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 >= n).then_some(ILLEGAL)
        })
    }

    /// The same on a device that takes its time, so that others beside it get batches too.
    pub fn slow(self) -> Self {
        Self::new(move |lengths| {
            std::thread::sleep(std::time::Duration::from_millis(3));
            (self.0)(lengths)
        })
    }

    pub(super) fn strike(&self, rows: &[Row]) -> candle_core::Result<()> {
        let lengths: Vec<usize> = rows.iter().map(|(ids, _)| ids.len()).collect();
        match (self.0)(&lengths) {
            Some(said) => Err(candle_core::Error::Cuda(said.to_owned().into()).bt()),
            None => Ok(()),
        }
    }
}

/// Which devices the models of a folder get.
static FOLDERS: Mutex<BTreeMap<PathBuf, Vec<(String, Fault)>>> = Mutex::new(BTreeMap::new());

/// Every model that is loaded from `dir` from now on computes on these devices. Lost devices stay lost for
/// the whole process, so every test has names of its own, `cuda:N` with a large N.
pub(crate) fn devices_for(dir: &Path, devices: &[(&str, Fault)]) {
    let devices = devices.iter().map(|(name, fault)| ((*name).to_owned(), fault.clone())).collect();
    FOLDERS.lock().insert(dir.to_path_buf(), devices);
}

pub(in crate::engine::model) fn furnish(mut model: Model, dir: &Path) -> Result<Model, ModelError> {
    let Some(devices) = FOLDERS.lock().get(dir).cloned() else { return Ok(model) };
    model.seats.clear();
    for (name, fault) in devices {
        let encoder = Encoder::new(&model.config, &model.params)?;
        let mut seat = Seat::new(Arc::new(encoder));
        (seat.name, seat.on_cpu, seat.fault) = (name, false, Some(fault));
        model.seats.push(seat);
    }
    model.info.device = device_names(&model.seats);
    Ok(model)
}

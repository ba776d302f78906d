//! What a job's devices went through, to be told once each: batches that were made smaller, devices
//! that were lost while others went on.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::util::figures::thousands;

/// Collected over all calls of one job; cheap to share.
#[derive(Debug, Default)]
pub struct DeviceNotes {
    by_device: Mutex<BTreeMap<String, Note>>,
}

#[derive(Debug, Default)]
struct Note {
    /// Tokens of the first batch that did not fit, and of the largest ones since.
    halved: Option<(usize, usize)>,
    lost: Option<String>,
}

impl DeviceNotes {
    /// However often a job's batches are halved, it is one note: from the first size to the last.
    pub(super) fn halved(&self, device: &str, tokens: usize, now: usize) {
        let mut notes = self.by_device.lock();
        let halved = &mut notes.entry(device.to_owned()).or_default().halved;
        let (first, least) = halved.unwrap_or((tokens, now));
        *halved = Some((first, least.min(now)));
    }

    pub(in crate::engine::model) fn lost(&self, device: &str, why: &str) {
        self.by_device.lock().entry(device.to_owned()).or_default().lost = Some(why.to_owned());
    }

    /// One sentence each, by device; empty where nothing happened.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (device, note) in &*self.by_device.lock() {
            if let Some((tokens, now)) = note.halved {
                let (tokens, now) = (thousands(tokens as i128), thousands(now as i128));
                lines.push(format!(
                    "batches of {tokens} tokens did not fit into {device}; going on with {now}"
                ));
            }
            if let Some(why) = &note.lost {
                lines.push(format!("{device} was lost ({why}); the other devices took its batches"));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_is_told_once() {
        let notes = DeviceNotes::default();
        assert!(notes.lines().is_empty());
        notes.halved("cuda:0", 16_384, 8_192);
        notes.halved("cuda:0", 8_000, 4_000);
        notes.lost("cuda:1", "CUDA_ERROR_ILLEGAL_ADDRESS");
        notes.lost("cuda:1", "CUDA_ERROR_ILLEGAL_ADDRESS");
        assert_eq!(
            notes.lines(),
            [
                "batches of 16,384 tokens did not fit into cuda:0; going on with 4,000",
                "cuda:1 was lost (CUDA_ERROR_ILLEGAL_ADDRESS); the other devices took its batches"
            ]
        );
    }
}

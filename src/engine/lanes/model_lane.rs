//! The model lane: one thread that holds weights and does what needs them, one task after another.
//! A task that panics is answered as such, and the lane lives on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::problems::panicked;
use crate::engine::model::cache::ScoreCache;
use crate::engine::model::{LoadOptions, Model, ModelError};
use crate::protocol::Problem;
use crate::util::supervised;

type Task = Box<dyn FnOnce(&mut Models) + Send>;

#[derive(Clone)]
pub(super) struct ModelLane {
    tasks: Sender<Task>,
    /// What models have given before; shared by all jobs of the engine.
    pub scores: Arc<ScoreCache>,
}

impl ModelLane {
    pub fn start(scores: Arc<ScoreCache>) -> io::Result<Self> {
        let (tasks, inbox) = unbounded::<Task>();
        let work = move || {
            let mut models = Models::default();
            for task in &inbox {
                task(&mut models);
            }
        };
        // The task that was lost with it is answered: its reply is dropped.
        supervised::kept("model-lane", work, |fall| tracing::error!("{fall}"))?;
        Ok(Self { tasks, scores })
    }

    /// Does `work` on the lane. The answer comes once; `Err` is a caught panic.
    pub fn run<T, F>(&self, work: F) -> Receiver<Result<T, Problem>>
    where
        T: Send + 'static,
        F: FnOnce(&mut Models) -> T + Send + 'static,
    {
        let (reply, answer) = bounded(1);
        let task: Task = Box::new(move |models| {
            let result = catch_unwind(AssertUnwindSafe(|| work(models))).map_err(|payload| {
                // What a panic left half done is not to be trusted.
                models.loaded.clear();
                panicked(payload)
            });
            let _ = reply.send(result);
        });
        // A lane that has ended drops the task and with it `reply`: the receiver sees that.
        let _ = self.tasks.send(task);
        answer
    }
}

/// Loaded models, most recently used last.
#[derive(Default)]
pub(super) struct Models {
    loaded: Vec<(Key, Arc<Model>)>,
}

#[derive(Clone, PartialEq)]
struct Key {
    dir: PathBuf,
    options: LoadOptions,
    /// Changes when a file of the folder does, e.g. after training into it.
    stamp: Vec<(String, u64, Option<SystemTime>)>,
}

/// Weights kept at a time: the one that scores and the one it is compared with.
const KEPT: usize = 2;

impl Models {
    /// The model of a folder, loaded unless it is here unchanged.
    pub fn get(&mut self, dir: &Path, options: &LoadOptions) -> Result<Arc<Model>, ModelError> {
        let key = Key { dir: dir.to_path_buf(), options: options.clone(), stamp: folder_stamp(dir) };
        if let Some(at) = self.loaded.iter().position(|(known, _)| *known == key) {
            let found = self.loaded.remove(at);
            let model = Arc::clone(&found.1);
            self.loaded.push(found);
            return Ok(model);
        }
        // Make room first: two large models and a third half loaded may not fit.
        self.loaded.retain(|(known, _)| known.dir != key.dir || known.options.device != options.device);
        if self.loaded.len() >= KEPT {
            self.loaded.remove(0);
        }
        let model = Arc::new(Model::load(dir, options)?);
        self.loaded.push((key, Arc::clone(&model)));
        Ok(model)
    }
}

/// Names, sizes and times of a folder's files; empty where it cannot be read.
pub(super) fn folder_stamp(dir: &Path) -> Vec<(String, u64, Option<SystemTime>)> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut stamp: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let meta = std::fs::metadata(entry.path()).ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            meta.is_file().then(|| (name, meta.len(), meta.modified().ok()))
        })
        .collect();
    stamp.sort();
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_answer_and_the_lane_goes_on() {
        let lane = ModelLane::start(Arc::default()).unwrap();
        let problem = lane.run(|_| -> u8 { panic!("weights on fire") }).recv().unwrap().unwrap_err();
        assert!(problem.message.contains("weights on fire"));
        assert_eq!(lane.run(|_| 7).recv().unwrap().unwrap(), 7);
    }

    #[test]
    fn a_missing_folder_is_a_sentence() {
        let lane = ModelLane::start(Arc::default()).unwrap();
        let load = |models: &mut Models| models.get(Path::new("/no/such"), &LoadOptions::default()).err();
        assert!(lane.run(load).recv().unwrap().unwrap().is_some());
    }
}

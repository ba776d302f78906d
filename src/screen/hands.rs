//! Work that touches files and programs, done beside the UI thread so that a slow disk never holds
//! up a key: the notebook's file (`place`), the clipboard, looking for models.

mod trust;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use parking_lot::Mutex;

use super::app::{FileTask, ModelChoice, Msg, SaveError};
use super::place::Place;
use crate::trust::survey_text;
use crate::util::atomic;
use crate::util::supervised::{self, Fall};

/// How often it is looked what others do to the notebook. Where nothing happens, it costs a few calls.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// One piece of work.
pub enum Task {
    File(FileTask),
    /// By way of tmux or a file; OSC 52 is the terminal's own affair.
    Copy(String),
    FindModels {
        base: PathBuf,
        folders: Vec<PathBuf>,
    },
}

const FELL: &str = "a fault of recscope while writing; the text is still here, save it again";

/// The thread that does it, in order.
pub struct Hands {
    tasks: Option<Sender<Task>>,
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Hands {
    /// `told` hears when a piece of work falls; the next one is taken up all the same.
    pub fn start(
        place: Arc<Mutex<Place>>,
        answers: Sender<Msg>,
        told: impl FnMut(Fall) + Send + 'static,
    ) -> io::Result<Self> {
        let (tasks, queue) = unbounded();
        let (finished, done) = unbounded();
        let mut lost = None;
        let work = move || {
            // Held as long as the thread lives: its end is what `finish` waits for.
            let _finished = &finished;
            let mut say = |msg| {
                let _ = answers.send(msg);
            };
            // Whoever waits for what fell is told.
            if let Some(text) = lost.take() {
                say(Msg::Saved { text, result: Err(SaveError::Failed(FELL.into())) });
            }
            let mut looked = Instant::now();
            loop {
                match queue.recv_timeout(LOOK_EVERY.saturating_sub(looked.elapsed())) {
                    Ok(task) => {
                        if let Task::File(FileTask::Save { text, .. }) = &task {
                            lost = Some(text.clone());
                        }
                        perform(task, &place, &mut say);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                lost = None;
                if looked.elapsed() >= LOOK_EVERY {
                    place.lock().look(&mut say);
                    looked = Instant::now();
                }
            }
        };
        let thread = supervised::kept("hands", work, told)?;
        Ok(Self { tasks: Some(tasks), done, thread: Some(thread) })
    }

    pub fn give(&self, task: Task) {
        if let Some(tasks) = &self.tasks {
            let _ = tasks.send(task);
        }
    }

    /// Finishes what was given, within a bound: a dead disk must not keep the program alive.
    pub fn finish(&mut self) {
        self.tasks = None;
        let _ = self.done.recv_timeout(Duration::from_secs(5));
        if let Some(thread) = self.thread.take()
            && thread.is_finished()
        {
            let _ = thread.join();
        }
    }
}

fn perform(task: Task, place: &Mutex<Place>, say: &mut dyn FnMut(Msg)) {
    match task {
        Task::File(task) => with_file(task, place, say),
        Task::Copy(text) => say(Msg::Copied(copy(&text))),
        Task::FindModels { base, folders } => say(Msg::Models(find_models(&base, &folders))),
    }
}

fn with_file(task: FileTask, place: &Mutex<Place>, say: &mut dyn FnMut(Msg)) {
    // What may take long does not hold the place, which the journal needs.
    match task {
        FileTask::Survey { text, base, path, params } => {
            say(Msg::Surveyed(Box::new(survey_text(&text, &params, &base, path.as_deref()))));
        }
        FileTask::Trust { path, scope, asked } => {
            say(Msg::Trusted { asked, result: trust::add(&path, scope) });
        }
        FileTask::Inspect { database, file } => say(Msg::Inspected(trust::inspect(database, &file))),
        task => place.lock().perform(task, say),
    }
}

/// Writes the notebook whole or not at all, unless the file is no longer what it was.
pub fn save(path: &Path, text: &str, on_disk: Option<&str>, force: bool) -> Result<(), SaveError> {
    let failed = |e: &dyn std::fmt::Display| SaveError::Failed(e.to_string());
    if !force {
        match (fs::read(path), on_disk) {
            (Ok(now), Some(was)) if now == was.as_bytes() => {}
            (Ok(now), _) if now == text.as_bytes() => {}
            (Ok(_), _) => return Err(SaveError::ChangedOutside),
            // Deleted by someone, or new: writing it destroys nothing.
            (Err(e), _) if e.kind() == io::ErrorKind::NotFound => {}
            (Err(e), _) => return Err(failed(&e)),
        }
    }
    atomic::write(path, text.as_bytes()).map_err(|e| failed(&e))
}

/// Gives text to the clipboard of tmux, else keeps it in a file; says which.
fn copy(text: &str) -> Result<String, String> {
    if std::env::var_os("TMUX").is_some() {
        match tmux(text) {
            Ok(()) => return Ok("copied to tmux's buffer (prefix ] pastes), and on to the terminal".into()),
            Err(error) => tracing::warn!("tmux load-buffer: {error}"),
        }
    }
    let path = std::env::temp_dir().join(format!("recscope-copy-{}.txt", std::process::id()));
    match atomic::write(&path, text.as_bytes()) {
        Ok(()) => Ok(format!("no clipboard within reach: written to {}", path.display())),
        Err(error) => Err(format!("not copied: {error}")),
    }
}

fn tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{status}"))) }
}

/// Folders that hold a model: in `folders`, and in `models/` beside the notebook or above it.
fn find_models(base: &Path, folders: &[PathBuf]) -> Vec<ModelChoice> {
    let above = base.ancestors().take(3).map(|p| p.join("models"));
    let mut found: Vec<ModelChoice> = Vec::new();
    for root in folders.iter().cloned().chain(above).chain([base.to_path_buf()]) {
        let Ok(entries) = fs::read_dir(&root) else { continue };
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        paths.sort();
        for path in paths.into_iter().filter(|p| p.join("config.json").is_file()) {
            let weights = path.join("model.safetensors").is_file();
            let shown = relative(&path, base);
            if weights && found.iter().all(|f| f.path != shown) {
                let embeds = path.join("modules.json").is_file();
                found.push(ModelChoice { path: shown, embeds, origin: relative(&root, base) });
            }
        }
    }
    found
}

/// As a cell names it: from the notebook's folder where it lies below or one above, else whole.
fn relative(path: &Path, base: &Path) -> String {
    if let Ok(below) = path.strip_prefix(base) {
        let below = below.display().to_string();
        return if below.is_empty() { ".".into() } else { below };
    }
    if let Some(parent) = base.parent()
        && let Ok(beside) = path.strip_prefix(parent)
    {
        return format!("../{}", beside.display());
    }
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changed_by_another_program_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.md");
        assert_eq!(save(&path, "one", None, false), Ok(()));
        assert_eq!(save(&path, "two", Some("one"), false), Ok(()));
        fs::write(&path, "theirs").unwrap();
        assert_eq!(save(&path, "three", Some("two"), false), Err(SaveError::ChangedOutside));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(save(&path, "three", Some("two"), true), Ok(()));
        assert_eq!(save(&path, "x", None, false), Err(SaveError::ChangedOutside), "a new name that is taken");
    }

    #[test]
    fn models_are_found_where_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("work");
        for (name, file) in
            [("work/models/a", "model.safetensors"), ("models/b", "model.safetensors"), ("models/c", "x")]
        {
            let model = folder.path().join(name);
            fs::create_dir_all(&model).unwrap();
            fs::write(model.join("config.json"), "{}").unwrap();
            fs::write(model.join(file), "").unwrap();
        }
        fs::write(folder.path().join("models/b/modules.json"), "[]").unwrap();
        let found: Vec<(String, bool)> =
            find_models(&base, &[]).into_iter().map(|m| (m.path, m.embeds)).collect();
        assert_eq!(found, [("models/a".to_string(), false), ("../models/b".to_string(), true)]);
    }
}

//! Starting engines: as threads of this process for a trusted headless run, as a process of its own for a
//! screen and for whatever nobody has trusted. The one place where an engine's process is bound to its
//! limits. What runs in it is `engine/lanes`' business.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{EngineArgs, EngineSettings};
use super::{Failure, settings};
use crate::engine::lanes::{EngineOptions, serve_socket, start_in_process};
use crate::engine::store::StoreOptions;
use crate::protocol::transport::{ChildOptions, ChildProcess};
use crate::protocol::{Engine, Problem, ProblemKind};
use crate::state::{Secret, StateFolder};
use crate::trust::sandbox::{self, Places};
use crate::trust::{Access, Limits};
use crate::util::private::{make_private, user_id};

/// An engine for a headless run.
pub(super) fn for_run(options: &EngineOptions) -> Result<Box<dyn Engine>, Problem> {
    match &options.access {
        Access::Everything => Ok(Box::new(start_in_process(options.clone()))),
        Access::Limited(_) => for_screen(options),
    }
}

/// An engine of its own process. Where there is no place for a socket, a trusted notebook gets threads of
/// this one, which is better than none; for one that is not trusted nothing is started.
pub(super) fn for_screen(options: &EngineOptions) -> Result<Box<dyn Engine>, Problem> {
    let options = &prepared(options);
    match (child(options), &options.access) {
        (Ok(child), _) => Ok(Box::new(child)),
        (Err(error), Access::Everything) => {
            tracing::warn!("no engine process: {error}");
            Ok(Box::new(start_in_process(options.clone())))
        }
        (Err(error), Access::Limited(_)) => {
            let message = format!(
                "no process can be started for a notebook that is not trusted, so it is not run: {error}"
            );
            Err(Problem::new(ProblemKind::Resource, message).hint(
                "set TMPDIR to a folder that you may write; or trust the notebook (`recscope trust add`)",
            ))
        }
    }
}

/// The options with the folders for results made: a bound engine may make none beside the notebook.
fn prepared(options: &EngineOptions) -> EngineOptions {
    let mut options = options.clone();
    if let Access::Limited(limits) = &mut options.access {
        limits.kept = kept_folders(limits.notebook.as_deref());
    }
    options
}

fn child(options: &EngineOptions) -> io::Result<ChildProcess> {
    let mut start = ChildOptions::this_program()?;
    start.hand_over = Some(serde_json::to_string(options).map_err(io::Error::other)?);
    if options.access.is_limited() {
        start.scratch = scratch().ok();
    }
    ChildProcess::spawn(&start)
}

/// A private folder below the temporary one, so that nothing else there need be writable.
fn scratch() -> io::Result<PathBuf> {
    let own = std::env::temp_dir().join(format!("recscope-{}", user_id()));
    make_private(&own)?;
    let folder = own.join("untrusted");
    make_private(&folder)?;
    Ok(folder)
}

/// `recscope engine`: the process that [`child`] starts.
pub(super) fn serve(args: &EngineArgs) -> Result<u8, Failure> {
    let options = match &args.options {
        Some(file) => handed_over(file)?,
        None => settings::load().engine_options(&EngineSettings::default())?,
    };
    if let Access::Limited(limits) = &options.access {
        bind(limits, &options, &args.socket)?;
    }
    if let Access::Limited(limits) = &options.access {
        // Relative names in SQL start from the notebook's folder.
        let _ = std::env::set_current_dir(&limits.base);
    }
    serve_socket(&args.socket, args.detached, options)
        .map_err(|error| Failure::resource(format!("the engine cannot work: {error}")))?;
    // A query that did not stop may still run: no destructor may pull its database away.
    super::stop::end_now(0)
}

fn handed_over(file: &Path) -> Result<EngineOptions, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|e| Failure::resource(format!("cannot read {}: {e}", file.display())))?;
    let _ = fs::remove_file(file);
    serde_json::from_str(&text).map_err(|e| Failure::bug(format!("the engine's options: {e}")))
}

/// Binds this process to the limits, before it has a second thread.
fn bind(limits: &Limits, options: &EngineOptions, socket: &Path) -> Result<(), Failure> {
    let mut write = vec![std::env::temp_dir()];
    write.extend(socket.parent().map(Path::to_path_buf));
    write.extend(limits.kept.iter().cloned());
    write.extend(options.scratch.clone());
    if let Some(cache) = options.scores().folder {
        // Rules are of folders that exist.
        let _ = fs::create_dir_all(&cache);
        write.push(cache);
    }
    let places = Places { write, memory_bytes: memory(limits, options) };
    match sandbox::enter(limits, &places) {
        Ok(wall) => tracing::info!("{}", wall.words()),
        Err(error) => return Err(Failure::bug(format!("the engine cannot be bound to its limits: {error}"))),
    }
    Ok(())
}

/// DuckDB's limit, and what the models may take: their weights several times over (other number types,
/// gradients), and room for texts. No limit where a GPU's driver reserves memory as it likes.
fn memory(limits: &Limits, options: &EngineOptions) -> Option<u64> {
    const ROOM: u64 = 4 << 30;
    if cfg!(any(feature = "cuda", feature = "metal")) {
        return None;
    }
    let database = options.memory_bytes.unwrap_or(StoreOptions::default().memory_limit);
    let weights: u64 = limits.models.iter().map(|folder| folder_bytes(folder)).sum();
    Some(database.saturating_add(ROOM).saturating_add(weights.saturating_mul(6)))
}

fn folder_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|entry| fs::metadata(entry.path()).ok()).map(|meta| meta.len()).sum()
}

/// Folders for results of a notebook: its sidecar, its own in the state folder where that cannot be used, and
/// the one with the key that signs them.
fn kept_folders(notebook: Option<&Path>) -> Vec<PathBuf> {
    let Some(notebook) = notebook else { return Vec::new() };
    let stem = notebook.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let sidecar = notebook.with_file_name(format!(".{stem}.cells"));
    let mut folders: Vec<PathBuf> = make_private(&sidecar).map(|()| sidecar).into_iter().collect();
    if let Ok(state) = StateFolder::open() {
        // A key is made by whoever needs it first, and that may be an engine that may not.
        let _ = Secret::open(&state);
        folders.extend(state.of_file(notebook).into_iter().chain(state.results()));
    }
    folders
}

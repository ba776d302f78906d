//! `recscope models pull`: a model from the hub, an archive or a folder. Says where it went; the work is
//! `crate::pull`'s.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::args::{PullArgs, ShortFormat};
use super::super::output::{cancel_on_signal, json_page};
use super::super::{Failure, err_line, print};
use super::licence::Licence;
use super::progress::Progress;
use crate::pull::{Hub, ModelId, PullError, Pulled, Revision, Source, Step, Work};
use crate::util::cancel::Cancel;
use crate::util::{figures, sanitise};

/// How long a cancelled download may take to stop by itself.
const GRACE: Duration = Duration::from_millis(500);
const ARCHIVES: [&str; 7] = [".tar", ".tar.gz", ".tgz", ".zip", ".tar.zst", ".tzst", ".zst"];

/// Fetches a model and says what it is.
pub fn pull(args: &PullArgs) -> Result<u8, Failure> {
    let source = source(args)?;
    let target = args.to.clone().unwrap_or_else(|| Path::new("models").join(name(&source)));
    let started = Instant::now();
    let pulled = work(source, target)?;
    tell(&pulled, started.elapsed(), args.format)
}

/// What is here is taken from here; all else is a name on the hub.
fn source(args: &PullArgs) -> Result<Source, Failure> {
    let path = Path::new(&args.source);
    let local = match (path.is_dir(), path.exists()) {
        (true, _) => Some(Source::Folder(path.to_path_buf())),
        (false, true) => Some(Source::Archive(path.to_path_buf())),
        (false, false) => None,
    };
    if let Some(local) = local {
        return match args.revision {
            None => Ok(local),
            Some(_) => Err(Failure::usage(format!("{} is here, and has no revisions", path.display()))
                .hint("leave --revision out")),
        };
    }
    let text = args.source.as_str();
    let is_path = text.starts_with(['.', '/', '~']) || ARCHIVES.iter().any(|end| text.ends_with(end));
    if is_path {
        return Err(Failure::data(format!("there is no file or folder {}", path.display()))
            .hint("name a model folder, an archive of one, or ORG/NAME on the hub"));
    }
    let id: ModelId = text.parse()?;
    let revision = args.revision.as_deref().map(str::parse::<Revision>).transpose()?.unwrap_or_default();
    Ok(Source::Hub { id, revision, hub: hub() })
}

/// The hub of the environment.
fn hub() -> Hub {
    let set = |name: &str| std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
    Hub {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        token: set("HF_TOKEN"),
        offline: set("HF_HUB_OFFLINE").is_some_and(|v| !["0", "false", "no", "off"].contains(&v.as_str())),
        certificates: set("SSL_CERT_FILE").map(PathBuf::from),
    }
}

/// The folder's name where none was given.
fn name(source: &Source) -> String {
    let last = |path: &Path| {
        let full = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    match source {
        Source::Hub { id, .. } => id.name().to_owned(),
        Source::Folder(folder) => last(folder),
        Source::Archive(file) => {
            let name = last(file);
            let stems = ARCHIVES.iter().filter_map(|end| name.strip_suffix(end));
            let stems = stems.filter(|stem| !stem.is_empty());
            stems.min_by_key(|stem| stem.len()).unwrap_or(&name).to_owned()
        }
    }
}

/// Works on a thread of its own: a line that has fallen silent cannot hold up Ctrl-C.
fn work(source: Source, target: PathBuf) -> Result<Pulled, Failure> {
    let cancel = cancel_on_signal();
    let mut progress = Progress::new(std::io::stderr().is_terminal());
    let (send, steps) = crossbeam_channel::unbounded::<Step>();
    let flag = cancel.clone();
    let worker = std::thread::spawn(move || {
        let mut tell = |step| {
            // Nobody listens any more once the user has left.
            let _ = send.send(step);
        };
        crate::pull::pull(&source, &target, &mut Work { cancel: &flag, tell: &mut tell })
    });
    listen(&steps, &cancel, &mut progress);
    progress.end();
    if cancel.is_cancelled() && !worker.is_finished() {
        return Err(Failure::from(PullError::from(crate::util::cancel::Cancelled)));
    }
    let pulled = worker.join().map_err(|_| Failure::bug("fetching the model panicked"))?;
    Ok(pulled?)
}

/// Until the worker has ended, or has been given up.
fn listen(steps: &crossbeam_channel::Receiver<Step>, cancel: &Cancel, progress: &mut Progress) {
    let mut cancelled: Option<Instant> = None;
    loop {
        match steps.recv_timeout(Duration::from_millis(50)) {
            Ok(step) => progress.take(step),
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
        }
        if cancel.is_cancelled() && cancelled.get_or_insert_with(Instant::now).elapsed() > GRACE {
            return;
        }
    }
}

fn tell(pulled: &Pulled, took: Duration, format: ShortFormat) -> Result<u8, Failure> {
    let licence = Licence::of(&pulled.folder);
    let (config, folder) = (&pulled.config, pulled.folder.display().to_string());
    if format == ShortFormat::Json {
        let value = json!({
            "path": folder,
            "commit": pulled.commit,
            "files": pulled.files,
            "bytes": pulled.bytes,
            "architecture": config.family.name,
            "labels": config.labels,
            "licence": licence.id,
            "licence_file": licence.file,
        });
        return print(&json_page(&value));
    }
    let commit =
        pulled.commit.as_deref().map(|commit| format!(", commit {}", commit.get(..12).unwrap_or(commit)));
    print(&format!(
        "{}\n{}, {}; {}; licence {}\n",
        sanitise::line(&folder),
        config.family.name,
        config.gives(),
        figures::bytes(pulled.bytes),
        licence.short(),
    ))?;
    err_line(&format!(
        "{} in {}{}",
        figures::plural(pulled.files as u64, "file", "files"),
        figures::clock(took.as_millis() as u64),
        commit.unwrap_or_default(),
    ));
    Ok(0)
}

//! `recscope [NOTEBOOK.md | DATA ...]`: finds out what is to be opened and opens the screen on it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::{Failure, access, engine, settings};
use crate::analysis::metrics::METRICS;
use crate::engine::lanes::EngineOptions;
use crate::notebook::fresh::{DataFile, new_notebook};
use crate::protocol::Engine;
use crate::screen::app::trust::{Level, Trust};
use crate::screen::{self, Ending};
use crate::trust::{Access, Survey, is_open_to_all, survey_text};
use crate::util::{globs, signals};

/// What the screen is opened on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened {
    pub text: String,
    pub path: Option<PathBuf>,
    /// Relative paths of the notebook start here.
    pub base: PathBuf,
}

/// Opens the screen; `keep_scores`: the engine may use the score cache.
pub(super) fn open(files: &[String], keep_scores: bool) -> Result<u8, Failure> {
    let here =
        std::env::current_dir().map_err(|e| Failure::resource(format!("no working directory: {e}")))?;
    let opened = opened(files, &here)?;
    let trust = trust_of(&opened);
    show(opened, trust, keep_scores)
}

/// Opens the screen on a notebook that recscope has just made.
pub(super) fn open_own(notebook: &Path, keep_scores: bool) -> Result<u8, Failure> {
    show(self::notebook(notebook)?, Trust::default(), keep_scores)
}

/// A notebook in no trusted folder opens as text. One that is new is the user's own; but DuckDB files hold
/// views and macros that may read anything, so that a new notebook over them is held to what it names.
fn trust_of(opened: &Opened) -> Trust {
    let survey = survey_text(&opened.text, &[], &opened.base, opened.path.as_deref());
    let own = opened.path.as_deref().is_none_or(|path| access::is_trusted(path) || !path.exists());
    let foreign = survey.foreign_databases(access::is_trusted);
    let (level, survey) = match (own, foreign.is_empty()) {
        (true, true) => (Level::Full, survey),
        (true, false) => (Level::Limited, Survey { limits: survey.clone().widened(), ..survey }),
        (false, _) => (Level::Inert, survey),
    };
    Trust { level, open_to_all: is_open_to_all(&opened.base), survey, ..Trust::default() }
}

/// Runs the screen over what was opened, with an engine of its own behind a socket.
fn show(opened: Opened, trust: Trust, keep_scores: bool) -> Result<u8, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::usage("the screen needs a terminal")
            .hint("`recscope run NOTEBOOK.md` works without one; `recscope --help` lists the rest"));
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" {
        let what = match term.is_empty() {
            true => "TERM is not set: what this terminal understands is not known".to_owned(),
            false => format!("TERM is `{term}`: this terminal can draw no screen"),
        };
        return Err(Failure::usage(what).hint(
            "`recscope run NOTEBOOK.md` works without a screen; in a terminal that can draw, set e.g. \
             TERM=xterm-256color",
        ));
    }
    let settings = settings::load();
    let mut engine_options = settings.engine_options(&Default::default())?;
    engine_options.score_cache.folder.take_if(|_| !keep_scores);
    let base = opened.base.clone();
    let start = Box::new(move |access: &Access| -> Result<Box<dyn Engine>, String> {
        let (access, write_anywhere) = (access.clone(), !access.is_limited());
        let options = EngineOptions { access, write_anywhere, ..engine_options.clone() };
        engine::for_screen(&options).map_err(|problem| problem.message)
    });
    let mut options = screen::Options::new(opened.text, opened.path, opened.base, start);
    options.opening.trust = trust;
    options.theme = settings.config.theme.clone();
    options.models = settings.model_folders(&base);
    options.opening.metrics =
        METRICS.iter().map(|metric| metric.spelling().replace("[@K]", "@10").replace("@K", "@10")).collect();
    if let Some(auto_run) = settings.config.auto_run {
        options.opening.auto_run = auto_run;
    }
    match screen::run(options) {
        Ok(ending) => Ok(code(ending)),
        Err(error) => Err(Failure::resource(format!("the terminal failed: {error}")).hint(
            "`recscope doctor` looks at it; unsaved work is kept: opening the notebook again offers it",
        )),
    }
}

/// 0 when the user left; else as a shell counts signals (SIGHUP for a lost terminal).
fn code(ending: Ending) -> u8 {
    match ending {
        Ending::Left => 0,
        Ending::Signal(number) => signals::exit_code(number),
        Ending::Disconnected => 129,
        Ending::Broken(thread) => {
            let what = format!("the screen's thread `{thread}` failed again and again");
            let failure = Failure::bug(what)
                .hint("what was not saved is kept: open the notebook again. Please report this with the log");
            super::err_line(&failure.to_string());
            failure.exit()
        }
    }
}

/// One notebook, or data files for a new one, or nothing: an empty notebook.
pub(super) fn opened(files: &[String], here: &Path) -> Result<Opened, Failure> {
    let is_notebook = |file: &String| file.to_lowercase().ends_with(".md");
    match files {
        [] => Ok(Opened { text: "---\nrecscope: 1\n---\n".into(), path: None, base: here.to_path_buf() }),
        [file] if is_notebook(file) => notebook(&here.join(file)),
        files if files.iter().any(is_notebook) => {
            Err(Failure::usage("open one notebook, or data files, not both")
                .hint("name data in the notebook's `sources`"))
        }
        files => data(files, here),
    }
}

fn notebook(path: &Path) -> Result<Opened, Failure> {
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let text = match access::notebook_bytes(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count()
                    + 1;
            Failure::data(format!("{} is not UTF-8 text (line {line})", path.display()))
                .hint("convert it, e.g. with iconv")
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && base.is_dir() => {
            "---\nrecscope: 1\n---\n".into()
        }
        Err(error) => {
            return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))
                .hint("check the path; a new notebook needs its folder to exist"));
        }
    };
    Ok(Opened { text, path: Some(path.to_path_buf()), base })
}

fn data(files: &[String], here: &Path) -> Result<Opened, Failure> {
    for file in files {
        let remote = file.contains("://");
        let pattern = globs::is_pattern(file);
        if !remote && !pattern && !here.join(file).exists() {
            let failure = Failure::usage(format!("there is no file {file}"));
            return Err(match near(file, here) {
                Some(near) => {
                    failure.hint(format!("did you mean {near}? (`recscope --help` lists the commands)"))
                }
                None => {
                    failure.hint("open a notebook (.md) or data files; `recscope --help` lists the commands")
                }
            });
        }
    }
    let files: Vec<DataFile> =
        files.iter().map(|path| DataFile { path: path.clone(), columns: Vec::new() }).collect();
    Ok(Opened { text: new_notebook(&files), path: None, base: here.to_path_buf() })
}

/// A command or a file of the folder with nearly that name.
fn near(file: &str, here: &Path) -> Option<String> {
    use clap::CommandFactory;
    let command = super::args::Cli::command();
    let commands: Vec<String> =
        command.get_subcommands().map(|sub| format!("`recscope {}`", sub.get_name())).collect();
    let command_near =
        crate::notebook::diagnostics::nearest(file, command.get_subcommands().map(|sub| sub.get_name()));
    if let Some(name) = command_near {
        return commands.into_iter().find(|c| c.ends_with(&format!(" {name}`")));
    }
    let names: Vec<String> = std::fs::read_dir(here.join(file).parent()?)
        .ok()?
        .flatten()
        .take(5000)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let wanted = Path::new(file).file_name()?.to_str()?;
    crate::notebook::diagnostics::nearest(wanted, names.iter().map(String::as_str)).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::Notebook;

    #[test]
    fn notebooks_data_and_nothing_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let open = |files: &[&str]| {
            let files: Vec<String> = files.iter().map(ToString::to_string).collect();
            opened(&files, folder.path()).map_err(|failure| failure.to_string())
        };
        std::fs::write(folder.path().join("a.md"), "# T\n").unwrap();
        std::fs::write(folder.path().join("日志.csv"), "a\n1\n").unwrap();
        std::fs::write(folder.path().join("bad.md"), [b'a', b'\n', 0xff]).unwrap();
        assert_eq!(open(&["a.md"]).unwrap().text, "# T\n");
        assert!(open(&["new.md"]).unwrap().path.is_some());
        assert!(open(&["no/new.md"]).unwrap_err().contains("cannot read"));
        assert!(open(&["bad.md"]).unwrap_err().contains("line 2"));
        assert!(open(&["a.md", "日志.csv"]).unwrap_err().contains("not both"));
        assert!(open(&["日志.cvs"]).unwrap_err().contains("did you mean 日志.csv?"));
        assert!(open(&["docter"]).unwrap_err().contains("recscope doctor"));
        let data = open(&["日志.csv"]).unwrap();
        assert_eq!(Notebook::parse(&data.text).cells().count(), 1);
        assert_eq!(Notebook::parse(&open(&[]).unwrap().text).diagnostics(), []);
    }
}

//! `recscope trust list|add|remove`: the folders and notebooks that run without being asked about.

use std::path::{Path, PathBuf};

use super::Failure;
use super::args::{ShortFormat, TrustCommand};
use super::output::{err_line, print};
use crate::state::StateFolder;
use crate::trust::{Entry, Scope, TrustList, is_open_to_all};
use crate::util::sanitise;

pub(super) fn trust(command: &TrustCommand) -> Result<u8, Failure> {
    match command {
        TrustCommand::List { format } => list(*format),
        TrustCommand::Add { path } => add(path),
        TrustCommand::Remove { path } => remove(path),
    }
}

fn open() -> Result<TrustList, Failure> {
    let list = StateFolder::open().and_then(|state| TrustList::open(&state));
    list.map_err(|e| {
        Failure::resource(format!("the list of trusted folders cannot be read: {e}"))
            .hint("name another folder for it in RECSCOPE_STATE")
    })
}

fn list(format: ShortFormat) -> Result<u8, Failure> {
    let list = open()?;
    match format {
        ShortFormat::Json => {
            let entries = serde_json::to_string_pretty(&serde_json::json!({ "trusted": list.entries() }));
            print(&format!("{}\n", sanitise::json(&entries.unwrap_or_default())))
        }
        ShortFormat::Text if list.entries().is_empty() => {
            err_line("nothing is trusted; `recscope trust add FOLDER` trusts the notebooks in it");
            Ok(0)
        }
        ShortFormat::Text => print(&list.entries().iter().map(line).collect::<String>()),
    }
}

fn line(entry: &Entry) -> String {
    let scope = match entry.scope {
        Scope::Folder => "folder  ",
        Scope::Notebook => "notebook",
    };
    let gone = if entry.path.exists() { "" } else { "  (gone)" };
    format!("{scope}  {}{gone}\n", sanitise::line(&entry.path.to_string_lossy()))
}

fn add(path: &Path) -> Result<u8, Failure> {
    let scope = if path.is_dir() { Scope::Folder } else { Scope::Notebook };
    let fail = |e: std::io::Error| {
        Failure::usage(format!("{} is not trusted: {e}", path.display())).hint("name a folder or a notebook")
    };
    let added = open()?.add(path, scope).map_err(fail)?;
    let shown = real(path);
    let shown = sanitise::line(&shown);
    match (added, scope) {
        (false, _) => err_line(&format!("{shown} was trusted already")),
        (true, Scope::Folder) => err_line(&format!("trusted: every notebook in {shown} and below")),
        (true, Scope::Notebook) => err_line(&format!("trusted: {shown}")),
    }
    if scope == Scope::Folder && is_open_to_all(path) {
        err_line("warning: every user of this machine may put notebooks into that folder");
    }
    Ok(0)
}

fn remove(path: &Path) -> Result<u8, Failure> {
    let removed = open()?.remove(path).map_err(|e| Failure::resource(format!("not removed: {e}")))?;
    if !removed {
        return Err(Failure::usage(format!("{} is not on the list", path.display()))
            .hint("`recscope trust list` shows what is; a folder above it may be trusted"));
    }
    err_line(&format!("no longer trusted: {}", sanitise::line(&real(path))));
    Ok(0)
}

fn real(path: &Path) -> String {
    crate::state::real_path(path).unwrap_or_else(|_| PathBuf::from(path)).display().to_string()
}

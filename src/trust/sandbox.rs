//! Holds this process to its limits by the operating system's means: Landlock for files and the network
//! where the kernel has it, resource limits for memory. A second wall: the first is DuckDB's own, and a
//! kernel without Landlock leaves that one standing. Must be entered before any thread starts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::access::{Limits, is_below};
use crate::state::real_path;
use crate::util::globs;

/// What the process needs beside what the notebook names.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Folders that it may write: spills, sockets, caches, its state about this notebook.
    pub write: Vec<PathBuf>,
    /// Most bytes of memory of its own; `None`: no limit (GPU drivers reserve more than there is).
    pub memory_bytes: Option<u64>,
}

/// How much of the wall stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// Files and the network, all that was asked for.
    Whole,
    /// An older kernel: some kinds of access are not governed.
    Partly,
    /// No Landlock here.
    None,
}

impl Wall {
    pub fn words(self) -> &'static str {
        match self {
            Self::Whole => "Landlock holds untrusted engines to their files, without network",
            Self::Partly => "this kernel's Landlock governs files only in part (6.7 and newer: network too)",
            Self::None => {
                "no Landlock in this kernel: untrusted engines are held by DuckDB's limits and memory limits alone"
            }
        }
    }
}

/// Where programs and libraries, the processor's and GPUs' descriptions, and time zones lie.
const SYSTEM: [&str; 9] = ["/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc", "/proc", "/sys", "/opt"];

/// Binds this process for good.
///
/// # Errors
/// A rule was refused: a fault of this program, not of the kernel's age.
pub fn enter(limits: &Limits, places: &Places) -> io::Result<Wall> {
    if let Some(bytes) = places.memory_bytes {
        limit_memory(bytes);
    }
    restrict(&readable(limits), &listable(limits), &writable(limits, places)).map_err(io::Error::other)
}

/// Reserved, never touched and mapped memory is no harm, so the limit of the address space is far above
/// that of data.
fn limit_memory(bytes: u64) {
    const RESERVED: u64 = 64 << 30;
    for (resource, most) in
        [(rlimit::Resource::DATA, bytes), (rlimit::Resource::AS, bytes.saturating_add(RESERVED))]
    {
        let hard = resource.get_hard().unwrap_or(most);
        if let Err(error) = resource.set(most.min(hard), most.min(hard)) {
            tracing::warn!("no limit of memory: {error}");
        }
    }
}

fn readable(limits: &Limits) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    paths.push(limits.base.clone());
    for source in &limits.sources {
        let full = limits.locate(source);
        // The database compares whole names; the kernel knows folders only.
        paths.push(globs::literal_start(&full).to_path_buf());
    }
    for model in &limits.models {
        with_links(model, &mut paths);
    }
    paths.extend(limits.allowed.iter().cloned());
    paths
}

/// A folder called like a pattern (`[old]`) is found by matching names in the one that it lies in.
fn listable(limits: &Limits) -> Vec<PathBuf> {
    let start = |source: &String| globs::literal_start(&limits.locate(source)).to_path_buf();
    let called_so =
        limits.sources.iter().map(start).filter(|path| globs::is_pattern(&path.to_string_lossy()));
    called_so.map(|path| globs::folder_of(&path.to_string_lossy())).collect()
}

/// A model folder, and where the links in it lead: caches of the hub keep the files elsewhere.
fn with_links(folder: &Path, paths: &mut Vec<PathBuf>) {
    paths.push(folder.to_path_buf());
    let mut left = vec![(folder.to_path_buf(), 2)];
    while let Some((next, depth)) = left.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten().take(1000) {
            match entry.file_type() {
                Ok(kind) if kind.is_symlink() => paths.extend(fs::canonicalize(entry.path())),
                Ok(kind) if kind.is_dir() && depth > 0 => left.push((entry.path(), depth - 1)),
                _ => {}
            }
        }
    }
}

fn writable(limits: &Limits, places: &Places) -> Vec<PathBuf> {
    let mut paths = places.write.clone();
    // What a cell writes is made beside its place first, and its folder may not exist yet.
    let place = |output: &PathBuf| {
        let existing = output.parent().and_then(|p| p.ancestors().find(|p| p.is_dir()));
        existing.map(Path::to_path_buf)
    };
    paths.extend(limits.outputs.iter().filter_map(place).filter(|p| is_below(p, &limits.base)));
    paths.extend(limits.writable.iter().filter_map(place));
    paths
}

#[cfg(target_os = "linux")]
fn restrict(read: &[PathBuf], list: &[PathBuf], write: &[PathBuf]) -> Result<Wall, landlock::RulesetError> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        path_beneath_rules,
    };
    const NEWEST: ABI = ABI::V5;
    let devices = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::ReadDir | AccessFs::IoctlDev;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(existing(read), AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(existing(list), AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(existing(write), AccessFs::from_all(NEWEST)))?
        .add_rules(path_beneath_rules(["/dev"], devices))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Wall::Whole,
        RulesetStatus::PartiallyEnforced => Wall::Partly,
        RulesetStatus::NotEnforced => Wall::None,
    })
}

#[cfg(not(target_os = "linux"))]
fn restrict(_: &[PathBuf], _: &[PathBuf], _: &[PathBuf]) -> Result<Wall, std::convert::Infallible> {
    Ok(Wall::None)
}

/// Rules are of what is there; what is not cannot be read anyway.
#[cfg(target_os = "linux")]
fn existing(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut real: Vec<PathBuf> =
        paths.iter().filter_map(|p| real_path(p).ok()).filter(|p| p.exists()).collect();
    real.sort();
    real.dedup();
    real
}

/// What this kernel offers, without binding this process.
pub fn offered() -> Wall {
    #[cfg(target_os = "linux")]
    {
        // The restriction of a thread ends with the thread.
        let tried = std::thread::Builder::new()
            .name("landlock".into())
            .spawn(|| restrict(&[PathBuf::from("/")], &[], &[PathBuf::from("/")]).unwrap_or(Wall::None));
        tried.ok().and_then(|thread| thread.join().ok()).unwrap_or(Wall::None)
    }
    #[cfg(not(target_os = "linux"))]
    Wall::None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a thread of its own: the restriction lasts as long as the thread.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_bound_thread_reads_and_writes_what_is_named_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["base", "secret", "models", "write", "base/out"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("f"), "x").unwrap();
        }
        fs::create_dir(at("hub")).unwrap();
        std::os::unix::fs::symlink(at("models/f"), at("hub/link")).unwrap();
        let limits = Limits {
            base: at("base"),
            models: vec![at("hub")],
            outputs: vec![at("base/out/m"), at("secret/m")],
            ..Limits::default()
        };
        let places = Places { write: vec![at("write")], ..Places::default() };
        let at = |name: &str| root.path().join(name);
        std::thread::scope(|scope| {
            let bound = scope.spawn(move || {
                let wall =
                    restrict(&readable(&limits), &listable(&limits), &writable(&limits, &places)).unwrap();
                if wall == Wall::None {
                    println!("skipped: this kernel has no Landlock");
                    return;
                }
                assert!(fs::read(at("base/f")).is_ok() && fs::read(at("hub/link")).is_ok());
                assert!(
                    fs::write(at("write/new"), "x").is_ok() && fs::write(at("base/out/new"), "x").is_ok()
                );
                assert!(fs::read(at("secret/f")).is_err() && fs::write(at("secret/new"), "x").is_err());
                assert!(fs::write(at("base/f"), "y").is_err(), "the notebook's folder is only read");
                assert!(fs::read("/etc/hostname").is_ok() || !Path::new("/etc/hostname").exists());
            });
            bound.join().unwrap();
        });
        assert_eq!(fs::read(root.path().join("base/f")).unwrap(), b"x");
    }
}

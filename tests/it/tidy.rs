//! Holds the tree to the house rules of ARCHITECTURE.md: who may import whom, headers, file sizes,
//! where SQL and terminal crates may appear.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repo;

/// Module prefix -> what of ours it may import besides itself. The first matching row decides.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("util", &[]),
    ("terms", &["util"]),
    ("notebook", &["terms", "util"]),
    ("config", &["util"]),
    ("state", &["util"]),
    ("trust", &["notebook", "state", "util"]),
    ("analysis/metrics", &["analysis", "terms", "util"]),
    ("analysis/stats", &["analysis", "terms", "util"]),
    ("analysis", &["analysis", "terms", "util"]),
    ("protocol", &["notebook", "terms", "util"]),
    ("engine/store", &["terms", "util"]),
    ("engine/model", &["util"]),
    ("pipe", &["engine/model", "util"]),
    ("pull", &["engine/model", "util"]),
    ("engine/lanes", &["protocol", "notebook", "analysis", "engine", "state", "trust", "terms", "util"]),
    ("engine", &["protocol", "notebook", "analysis", "engine", "terms", "util"]),
    ("report", &["protocol", "notebook", "analysis", "terms", "util"]),
    ("screen/app", &["protocol", "notebook", "config", "trust", "terms", "util"]),
    ("screen/ui", &["screen", "protocol", "notebook", "config", "util"]),
    ("screen", &["protocol", "notebook", "config", "state", "trust", "util", "screen"]),
];

/// Crate -> the only folders that may name it.
const ONLY_USERS: &[(&str, &[&str])] = &[
    ("duckdb::", &["engine/store"]),
    ("candle_core", &["engine/model"]),
    ("candle_nn", &["engine/model"]),
    ("tokenizers::", &["engine/model"]),
    ("safetensors::", &["engine/model"]),
    ("ratatui", &["screen/ui"]),
    ("crossterm", &["screen/ui"]),
    ("syntect", &["screen/ui"]),
    ("similar::", &["screen/compare"]),
    ("ureq", &["pull"]),
    ("ring::", &["pull"]),
    ("tar::", &["pull"]),
    ("zip::", &["pull"]),
    ("ruzstd", &["pull", "engine/store/source"]),
    ("landlock::", &["trust"]),
    ("rlimit::", &["trust"]),
];

/// The only files (or folders) that may hold `unsafe`: kernels, and system calls of which Rust has none.
const UNSAFE: &[&str] = &[
    "engine/model/fused",
    "engine/model/threads",
    "engine/lanes/mod",
    "engine/store/open",
    "cli/doctor/machine",
    "cli/output",
    "pipe/fd",
    "protocol/transport/child",
    "screen/ui/terminal",
    "util/heap",
    "util/memory",
    "util/private",
];

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Path below `src/` with `/`, and the text before its inline tests.
fn sources() -> Vec<(String, String)> {
    let src = repo("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 50, "only {} files found: is the walk broken?", files.len());
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_string();
            (name, code)
        })
        .collect()
}

/// Lines of code, comments and doc comments left out.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn in_folder(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest.starts_with(".rs"))
}

fn complain(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(folder, _)| in_folder(&file, folder)) else {
            continue;
        };
        let own = file.split(['/', '.']).next().unwrap_or_default();
        for line in code_lines(&text) {
            for piece in line.split("crate::").skip(1) {
                let path: String =
                    piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
                let mut parts = path.split("::");
                let top = parts.next().unwrap_or_default();
                let two = format!("{top}/{}", parts.next().unwrap_or_default());
                let within = in_folder(&file, &two) || (top == own && file.matches('/').count() < 2);
                let ok = within || allowed.iter().any(|a| *a == top || *a == two) || own_layer(&file, &two);
                if !ok {
                    wrong.push(format!("src/{file}: crate::{path}"));
                }
            }
        }
    }
    complain("imports against the table in ARCHITECTURE.md", wrong);
}

/// `notebook/cells.rs` may name `crate::notebook::spec`: same top folder, where that folder is one layer.
fn own_layer(file: &str, two: &str) -> bool {
    let top = two.split('/').next().unwrap_or_default();
    !["engine", "screen"].contains(&top) && file.starts_with(&format!("{top}/"))
}

#[test]
fn heavy_crates_have_one_user_each() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        for (name, folders) in ONLY_USERS {
            let names_it = code_lines(&text).any(|line| {
                line.split(name).nth(1).is_some()
                    && (line.contains(&format!("use {name}"))
                        || line.contains(&format!(" {name}"))
                        || line.contains(&format!("({name}")))
            });
            if names_it && !folders.iter().any(|f| in_folder(&file, f)) {
                wrong.push(format!("src/{file} uses {name}"));
            }
        }
    }
    complain("crates named outside their only user", wrong);
}

#[test]
fn unsafe_stays_where_it_is() {
    let is_unsafe =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == "unsafe");
    let (mut wrong, mut used) = (Vec::new(), Vec::new());
    for path in walk(&["src", "build.rs"]) {
        let text = fs::read_to_string(repo(&path)).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        if !code_lines(code).any(is_unsafe) {
            continue;
        }
        match UNSAFE.iter().find(|place| path.strip_prefix("src/").is_some_and(|file| in_folder(file, place)))
        {
            Some(place) => used.push(*place),
            None => wrong.push(path),
        }
    }
    complain("unsafe outside the kernels and system calls (is there no safe way?)", wrong);
    let unused = UNSAFE.iter().filter(|place| !used.contains(place)).map(|place| (*place).into()).collect();
    complain("places that need no unsafe any more: take them off the list", unused);
}

/// Rust files below folders of the repository, and files, by their path in it.
fn walk(places: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    for place in places.iter().map(|place| repo(place)) {
        match place.is_dir() {
            true => rust_files(&place, &mut files),
            false => files.push(place),
        }
    }
    let root = repo("");
    files.iter().map(|path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_file_says_what_lives_there() {
    let wrong = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(f, _)| format!("src/{f}"))
        .collect();
    complain("files without a //! header", wrong);
}

#[test]
fn files_stay_readable() {
    let wrong = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 400)
        .map(|(f, text)| format!("src/{f}: {} lines before its tests", text.lines().count()))
        .collect();
    complain("files over 400 lines: which second idea lives there?", wrong);
}

#[test]
fn only_the_command_line_talks_to_stdout() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if in_folder(&file, "cli") || in_folder(&file, "pipe") || file == "main.rs" {
            continue;
        }
        for line in code_lines(&text) {
            if ["println!(", "print!(", "eprintln!(", "eprint!("]
                .iter()
                .any(|m| line.trim_start().starts_with(m))
            {
                wrong.push(format!("src/{file}: {}", line.trim()));
            }
        }
    }
    complain("printing outside src/cli and src/pipe", wrong);
}

#[test]
fn main_stays_thin() {
    for file in ["src/main.rs", "src/bin/recscope-score.rs"] {
        let lines = fs::read_to_string(repo(file)).unwrap().lines().count();
        assert!(lines <= 60, "{file} has {lines} lines");
    }
}

/// What is built without the feature `notebook` (recscope-score alone) may use no crate that comes
/// with it, and no module.
#[test]
fn the_small_binary_needs_nothing_of_the_notebook() {
    let manifest = fs::read_to_string(repo("Cargo.toml")).unwrap();
    let feature = manifest.split("\nnotebook = [").nth(1).unwrap().split(']').next().unwrap();
    let crates: Vec<String> = feature
        .split('"')
        .filter_map(|word| word.strip_prefix("dep:"))
        .map(|name| name.replace('-', "_") + "::")
        .collect();
    assert!(crates.contains(&"duckdb::".to_string()), "{crates:?}");
    let lib = fs::read_to_string(repo("src/lib.rs")).unwrap();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let top = file.split(['/', '.']).next().unwrap_or_default();
        let small = ["engine/model", "pipe", "util", "bin"].iter().any(|folder| in_folder(&file, folder));
        if small {
            let used = crates.iter().filter(|name| code_lines(&text).any(|line| names(line, name)));
            wrong.extend(used.map(|name| format!("src/{file} uses {name}")));
        } else if !["main", "lib", "engine"].contains(&top) {
            let gated = format!("#[cfg(feature = \"notebook\")]\npub mod {top};");
            if !lib.contains(&gated) {
                wrong.push(format!("src/lib.rs does not gate {top}"));
            }
        }
    }
    complain("what recscope-score would drag in", wrong);
}

/// Whether a line names a crate, and not a longer path that ends so.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

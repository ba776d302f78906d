//! Patterns of file names: what stands for itself in them and where they begin. DuckDB matches them.

use std::path::{Path, PathBuf};

/// What makes a name a pattern.
pub const WILD: [char; 3] = ['*', '?', '['];

pub fn is_pattern(path: &str) -> bool {
    path.contains(WILD)
}

/// A pattern that means just this name.
pub fn escape(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match WILD.contains(&c) {
            true => out.extend(['[', c, ']']),
            false => out.push(c),
        }
    }
    out
}

/// The part of a path that is a name whatever it holds: the longest that exists or has no wild character.
pub fn literal_start(path: &Path) -> &Path {
    let is_name = |p: &&Path| !is_pattern(&p.as_os_str().to_string_lossy()) || p.symlink_metadata().is_ok();
    path.ancestors().find(is_name).unwrap_or(path)
}

/// A path whose wild characters mean themselves as far as it exists: a folder may be called `[old]`.
pub fn pattern_of(path: &Path) -> String {
    let start = literal_start(path);
    let rest = path.strip_prefix(start).unwrap_or(Path::new(""));
    let start = escape(&start.to_string_lossy());
    match rest.as_os_str().is_empty() {
        true => start,
        false => format!("{}/{}", start.trim_end_matches('/'), rest.display()),
    }
}

/// The folder before the first wild character of a pattern that is not escaped.
pub fn folder_of(pattern: &str) -> PathBuf {
    let (mut plain, mut rest) = (String::new(), pattern);
    while let Some(c) = rest.chars().next() {
        let escaped = WILD.iter().find(|wild| rest.starts_with(&escape(&wild.to_string())));
        match escaped {
            Some(wild) => {
                plain.push(*wild);
                rest = &rest[3..];
            }
            None if WILD.contains(&c) => break,
            None => {
                plain.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    PathBuf::from(plain.rfind('/').map_or(".", |at| &plain[..=at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_means_itself() {
        let root = tempfile::tempdir().unwrap();
        let old = root.path().join("[旧]*");
        std::fs::create_dir(&old).unwrap();
        let pattern = pattern_of(&old.join("*.csv"));
        assert!(pattern.ends_with("/[[]旧][*]/*.csv"), "{pattern}");
        assert_eq!(folder_of(&pattern), old.join(""));
        assert_eq!(literal_start(&old.join("a?/b")), old);
        assert_eq!(pattern_of(Path::new("/nowhere/[a]/b.csv")), "/nowhere/[a]/b.csv");
        assert_eq!(folder_of("/a/b[[]c/d.csv"), Path::new("/a/b[c/"));
        assert_eq!((folder_of("*.csv"), folder_of("/x")), (PathBuf::from("."), PathBuf::from("/")));
        assert_eq!(pattern_of(Path::new("/")), "/");
    }
}

//! Holding DuckDB to named files: what an untrusted notebook's statements, and the views and macros of
//! DuckDB files, may read. Set once when the instance opens, then locked. DuckDB resolves links itself.

use std::path::{Path, PathBuf};

use super::source::{SourceSpec, local_patterns};
use super::{Result, quote_text};
use crate::util::globs;

/// The files that an instance may touch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileLimits {
    /// Relative sources start from here.
    pub base: PathBuf,
    /// Files, globs and folders as the front matter declares them.
    pub sources: Vec<String>,
    /// Folders and files that may be read whole, and those that results are kept in.
    pub folders: Vec<PathBuf>,
}

/// DuckDB looks for these beside a database file, and an instance that may not look does not open it.
const BESIDE_DATABASES: [&str; 3] = [".wal", ".wal.checkpoint", ".wal.recovery"];

/// Sets the limits; from here on nothing can widen them.
pub(super) fn confine(raw: &duckdb::Connection, limits: &FileLimits, spill: &Path) -> Result<()> {
    let mut paths = Vec::new();
    for source in &limits.sources {
        paths.extend(patterns(source, &limits.base));
    }
    // A glob is allowed as it is written, and each file that it means now.
    for pattern in paths.clone() {
        let root = globs::folder_of(&pattern);
        // A link among them leads out of what was declared, and is no such file.
        let stays = |file: &String| match (std::fs::canonicalize(file), std::fs::canonicalize(&root)) {
            (Ok(file), Ok(root)) => file.starts_with(root),
            _ => false,
        };
        let named = !pattern.contains(['*', '?']);
        paths.extend(files(raw, &pattern)?.into_iter().filter(|file| named || stays(file)));
    }
    let beside: Vec<String> =
        paths.iter().flat_map(|p| BESIDE_DATABASES.map(|e| format!("{p}{e}"))).collect();
    paths.extend(beside);
    let mut folders = vec![spill.to_path_buf()];
    for path in &limits.folders {
        match path.is_file() {
            true => paths.push(path.display().to_string()),
            false => folders.push(path.clone()),
        }
    }
    paths.sort();
    paths.dedup();
    let folders: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    raw.execute_batch(&format!(
        "SET allowed_paths = {}; SET allowed_directories = {}; SET allow_persistent_secrets = false; \
         SET enable_external_access = false; \
         SET allowed_configs = ['search_path', 'streaming_buffer_size']; SET lock_configuration = true",
        list(&paths),
        list(&folders),
    ))?;
    Ok(())
}

/// A declared path as DuckDB will be asked for it; nothing where it leads to nothing (opening it says so).
fn patterns(source: &str, base: &Path) -> Vec<String> {
    local_patterns(&SourceSpec::path(source), base).ok().flatten().unwrap_or_default()
}

fn files(raw: &duckdb::Connection, pattern: &str) -> Result<Vec<String>> {
    let mut statement = raw.prepare("SELECT file FROM glob($1)")?;
    let mut rows = statement.query([pattern])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row.get(0)?);
    }
    Ok(found)
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote_text(text)).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::{Store, StoreOptions};
    use super::*;
    use crate::util::cancel::Cancel;

    #[test]
    fn declared_files_and_the_folder_are_read_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["base", "data", "home"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        std::fs::write(at("base/in.csv"), "a\n1\n").unwrap();
        std::fs::write(at("data/[x] 日志.csv"), "a\n2\n").unwrap();
        std::fs::write(at("data/other.csv"), "a\n3\n").unwrap();
        std::fs::write(at("home/secret"), "CANARY").unwrap();
        std::os::unix::fs::symlink(at("home/secret"), at("base/link")).unwrap();
        std::fs::create_dir(at("globbed")).unwrap();
        std::fs::write(at("globbed/1.csv"), "a\n1\n").unwrap();
        std::fs::write(at("home/2.csv"), "a\nCANARY\n").unwrap();
        std::os::unix::fs::symlink(at("home/2.csv"), at("globbed/2.csv")).unwrap();
        let maker = duckdb::Connection::open(at("data/log.duckdb")).unwrap();
        let secret = at("home/secret").display().to_string();
        maker
            .execute_batch(&format!(
                "CREATE TABLE t AS SELECT 5 AS a; CREATE VIEW v AS SELECT * FROM read_text('{secret}'); \
                 CREATE MACRO m() AS TABLE SELECT * FROM read_text('{secret}')"
            ))
            .unwrap();
        drop(maker);
        let sources =
            ["../data/[x] 日志.csv", "../data/log.duckdb", "nowhere.csv", "*.csv", "../globbed/*.csv"];
        let limits = FileLimits {
            base: at("base"),
            sources: sources.map(str::to_owned).to_vec(),
            folders: vec![at("base")],
        };
        let store = Store::open(&StoreOptions { limits: Some(limits), ..StoreOptions::default() }).unwrap();
        let c = store.connect().unwrap();
        for (name, path) in [("log", "../data/log.duckdb"), ("x", "../data/[x] 日志.csv"), ("g", "*.csv")] {
            c.register_source(name, &SourceSpec::path(path), &at("base"), &Cancel::new()).unwrap();
        }
        let run = |sql: &str| c.execute(sql, &[], &Cancel::new()).map_err(|e| e.to_string());
        for sql in ["FROM t", "FROM log.t", "FROM x", "FROM g"] {
            run(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        run(&format!("FROM '{}'", at("base/in.csv").display())).unwrap();
        run(&format!("FROM read_text('{}')", at("base/../data/[[]x] 日志.csv").display())).unwrap();
        for refused in [
            "FROM v".to_owned(),
            "SELECT count(*) FROM v".into(),
            "FROM log.v".into(),
            "FROM log.m()".into(),
            format!("FROM read_text('{secret}')"),
            format!("FROM '{}'", at("data/other.csv").display()),
            format!("FROM read_text('{}')", at("base/link").display()),
            format!("FROM glob('{}/*')", at("home").display()),
            "FROM read_text('/proc/self/environ')".into(),
            "SET enable_external_access = true".into(),
            "SET threads = 1".into(),
            format!("FROM read_csv('{}')", at("globbed/*.csv").display()),
            format!("FROM read_csv('{}')", at("globbed/2.csv").display()),
        ] {
            let error = run(&refused).expect_err(&refused);
            assert!(!error.contains("CANARY"), "{error}");
        }
        let error = run(&format!("FROM read_text('{secret}')")).unwrap_err();
        assert!(error.contains("within limits") && error.contains("hint: "), "{error}");
    }
}

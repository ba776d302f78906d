//! `recscope inspect FILE.duckdb` (hidden; the screen starts it): the views and macros of a DuckDB file that
//! nobody has trusted, one JSON text a line. A process of its own, bound to that one file, because opening
//! a crafted file may end it.

use std::path::{Path, PathBuf};

use super::{Failure, print};
use crate::engine::store::inspect::views_of;
use crate::trust::Limits;
use crate::trust::sandbox::{self, Places};

/// Longest text of a view that is shown, in characters.
const SHOWN: usize = 600;
const MEMORY: u64 = 2 << 30;

pub(super) fn inspect(file: &Path) -> Result<u8, Failure> {
    let file = std::fs::canonicalize(file)
        .map_err(|e| Failure::usage(format!("{}: {e}", file.display())).hint("name a DuckDB file"))?;
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", file.display()));
    let limits = Limits { base: file.clone(), allowed: vec![beside(".wal")], ..Limits::default() };
    let places = Places { write: vec![std::env::temp_dir()], memory_bytes: Some(MEMORY) };
    sandbox::enter(&limits, &places).map_err(|e| Failure::bug(e.to_string()))?;
    let mut lines = String::new();
    for stored in views_of(&file)? {
        let text: String = stored.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = text.chars().take(SHOWN).collect();
        let more = if cut.len() < text.len() { " …" } else { "" };
        let line = format!("{} {}: {cut}{more}", stored.kind, stored.name);
        lines.push_str(&serde_json::to_string(&line).unwrap_or_default());
        lines.push('\n');
    }
    print(&lines)
}

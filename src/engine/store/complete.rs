//! Completions for SQL: DuckDB's own where the library has them, relations and columns otherwise.

use super::{Connection, Result};

/// Completions replace the text from byte `from` to the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    pub from: usize,
    pub items: Vec<String>,
}

/// More than fits on a screen helps nobody.
const MOST: usize = 200;

impl Connection {
    /// What may stand at byte `cursor` of `sql`. Call it on the peek lane's connection.
    pub fn complete(&self, sql: &str, cursor: usize) -> Result<Completions> {
        let mut cursor = cursor.min(sql.len());
        while !sql.is_char_boundary(cursor) {
            cursor -= 1;
        }
        let before = &sql[..cursor];
        let own = self.own_completions(before)?;
        let duck = self.duckdb_completions(before).unwrap_or_default();
        let from = own.from;
        let mut items = own.items;
        for item in if duck.from == from { duck.items } else { Vec::new() } {
            if !items.iter().any(|i| i.eq_ignore_ascii_case(&item)) {
                items.push(item);
            }
        }
        items.truncate(MOST);
        Ok(Completions { from, items })
    }

    fn duckdb_completions(&self, before: &str) -> Result<Completions> {
        let mut statement = self
            .raw
            .prepare("SELECT trim(suggestion), suggestion_start::BIGINT FROM sql_auto_complete($sql)")?;
        let mut rows = statement.query([before])?;
        let mut done = Completions { from: usize::MAX, items: Vec::new() };
        while let Some(row) = rows.next()? {
            let from = row.get::<_, i64>(1)?.max(0) as usize;
            done.from = done.from.min(from);
            done.items.push(row.get(0)?);
        }
        Ok(done)
    }

    /// Relations and the columns of those named so far whose name begins with the word at the end.
    fn own_completions(&self, before: &str) -> Result<Completions> {
        let word_char = |c: char| c.is_alphanumeric() || c == '_';
        let word: String = before
            .chars()
            .rev()
            .take_while(|c| word_char(*c))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let from = before.len() - word.len();
        let wanted = word.to_lowercase();
        let text = before.to_lowercase();
        let mut items = Vec::new();
        for relation in self.relations()? {
            if text.contains(&relation.name.to_lowercase()) {
                items.extend(relation.columns.into_iter().map(|c| c.name));
            }
            items.push(relation.name);
        }
        items.retain(|i| i.to_lowercase().starts_with(&wanted));
        items.sort();
        items.dedup();
        Ok(Completions { from, items })
    }
}

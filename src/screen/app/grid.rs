//! Where the reader is in a table: cursor, scroll, sort, find and marked rows.

use super::table::Table;
use super::value::Value;
use crate::terms::{quote_ident, quote_text};

/// A marked row, named by values so that it stays marked when order or filter change.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub key: RowKey,
}

/// Columns and values that tell a row apart.
pub type RowKey = Vec<(String, Value)>;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    pub row: u64,
    /// First visible row.
    pub top: u64,
    /// `None`: the first that is shown.
    pub column: Option<usize>,
    /// Column name and whether descending.
    pub sort: Option<(String, bool)>,
    pub find: Option<String>,
    pub marks: Vec<Mark>,
    /// Where a range of marks began.
    pub anchor: Option<u64>,
}

impl Grid {
    /// Moves to a row and scrolls as little as needed for `visible` rows.
    pub fn go(&mut self, row: u64, rows: u64, visible: u64) {
        self.row = row.min(rows.saturating_sub(1));
        let visible = visible.max(1);
        if self.row < self.top {
            self.top = self.row;
        } else if self.row >= self.top.saturating_add(visible) {
            self.top = self.row + 1 - visible;
        }
        self.top = self.top.min(rows.saturating_sub(visible));
    }

    /// Which column of the table is in focus.
    pub fn column_of(&self, table: &Table) -> usize {
        self.column.or_else(|| table.shown_columns().first().copied()).unwrap_or(0)
    }

    pub fn order_sql(&self) -> Option<String> {
        let (column, descending) = self.sort.as_ref()?;
        Some(format!("{} {} NULLS LAST", quote_ident(column), if *descending { "DESC" } else { "ASC" }))
    }

    /// Rows in which any column contains the words, whatever their case.
    pub fn filter_sql(&self, table: &Table) -> Option<String> {
        let words = self.find.as_deref()?;
        let columns: Vec<String> = table.columns.iter().map(|c| quote_ident(&c.name)).collect();
        if columns.is_empty() {
            return None;
        }
        Some(format!("contains(lower(concat_ws(' ', {})), lower({}))", columns.join(", "), quote_text(words)))
    }
}

/// Column roles that tell rows apart, best first.
const KEY_ROLES: &[&str] = &["query", "item", "user", "time", "position"];
/// Columns compared where no role names a key.
const KEY_COLUMNS: usize = 12;

/// What selects this row (and any row equal to it): the key roles where query and item are known,
/// else every exact column. `None` while the row has not arrived.
pub fn row_key(table: &Table, row: u64) -> Option<RowKey> {
    let role = |role: &&str| table.columns.iter().position(|c| c.role.as_deref() == Some(*role));
    let by_role: Vec<usize> = KEY_ROLES.iter().filter_map(role).collect();
    let keyed = KEY_ROLES.iter().take(2).all(|r| role(r).is_some());
    let columns: Vec<usize> = if keyed { by_role } else { (0..table.columns.len()).collect() };
    let mut key = Vec::new();
    for column in columns {
        let value = table.value(row, column)?;
        let exact = keyed || !matches!(value, Value::Float(_));
        if exact && key.len() < KEY_COLUMNS {
            key.push((table.columns.get(column)?.name.clone(), value));
        }
    }
    (!key.is_empty()).then_some(key)
}

/// SQL that selects the rows of these keys. Where only one column differs, a list of its values.
pub fn predicate(keys: &[RowKey]) -> String {
    let one = |key: &RowKey| key.iter().map(|(c, v)| v.equals(c)).collect::<Vec<_>>().join(" AND ");
    let Some((first, rest)) = keys.split_first() else { return "false".into() };
    let differs = |at: usize| rest.iter().any(|k| k.get(at) != first.get(at));
    let same_shape = rest.iter().all(|k| k.len() == first.len());
    let varying: Vec<usize> = (0..first.len()).filter(|at| differs(*at)).collect();
    match varying.as_slice() {
        [] => one(first),
        [at] if same_shape && keys.iter().all(|k| k.get(*at).is_some_and(|(_, v)| *v != Value::Null)) => {
            let fixed = first.iter().enumerate().filter(|(i, _)| i != at).map(|(_, (c, v))| v.equals(c));
            let values: Vec<String> =
                keys.iter().filter_map(|k| k.get(*at)).map(|(_, v)| v.literal()).collect();
            let column = first.get(*at).map_or(String::new(), |(c, _)| quote_ident(c));
            let list = format!("{column} IN ({})", values.join(", "));
            fixed.chain([list]).collect::<Vec<_>>().join(" AND ")
        }
        _ => keys.iter().map(|k| format!("({})", one(k))).collect::<Vec<_>>().join(" OR "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolls_as_little_as_needed() {
        let mut g = Grid::default();
        g.go(5, 100, 10);
        assert_eq!((g.row, g.top), (5, 0));
        g.go(10, 100, 10);
        assert_eq!((g.row, g.top), (10, 1));
        g.go(u64::MAX, 100, 10);
        assert_eq!((g.row, g.top), (99, 90));
        g.go(0, 0, 0);
        assert_eq!((g.row, g.top), (0, 0));
    }

    #[test]
    fn predicates_are_short_where_keys_agree() {
        let key =
            |q: &str, i: i128| vec![("q".to_string(), Value::Text(q.into())), ("i".into(), Value::Int(i))];
        assert_eq!(predicate(&[key("跑鞋", 1)]), "\"q\" = '跑鞋' AND \"i\" = 1");
        assert_eq!(predicate(&[key("a", 1), key("a", 2)]), "\"q\" = 'a' AND \"i\" IN (1, 2)");
        assert_eq!(
            predicate(&[key("a", 1), key("b", 2)]),
            "(\"q\" = 'a' AND \"i\" = 1) OR (\"q\" = 'b' AND \"i\" = 2)"
        );
        assert_eq!(predicate(&[]), "false");
    }
}

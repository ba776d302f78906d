//! The rows of a run, or of judgments, in little room: names of queries once each, items borrowed from the
//! text that they stand in or put one behind the other.

use std::collections::HashMap;
use std::ops::Range;

use compact_str::CompactString;

/// Rows of query, item and value. A row is in no way special for coming after another.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    names: Vec<CompactString>,
    numbers: HashMap<CompactString, u32>,
    runs: Vec<Run>,
    items: Items<'a>,
    /// The score, higher is better and NaN for none; or the gain.
    pub value: Vec<f64>,
}

/// Rows of one query that follow each other, up to the next run.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The place of the query in [`Side::names`].
    name: u32,
    from: usize,
}

#[derive(Debug, Clone)]
enum Items<'a> {
    Borrowed(Vec<&'a str>),
    /// Where each ends.
    Held {
        text: String,
        ends: Vec<usize>,
    },
}

impl<'a> Side<'a> {
    /// A side whose items stand in a text that outlives it. `rows`: about as many as there will be.
    pub fn borrowing(rows: usize) -> Self {
        Self::with(Items::Borrowed(Vec::with_capacity(rows)), rows)
    }

    /// A side that holds its items itself.
    pub fn holding() -> Self {
        Self::with(Items::Held { text: String::new(), ends: Vec::new() }, 0)
    }

    fn with(items: Items<'a>, rows: usize) -> Self {
        let value = Vec::with_capacity(rows);
        Self { names: Vec::new(), numbers: HashMap::new(), runs: Vec::new(), items, value }
    }

    /// Adds a row whose item is borrowed, where the side borrows.
    pub fn push(&mut self, query: &str, item: &'a str, value: f64) {
        match &mut self.items {
            Items::Borrowed(items) => items.push(item),
            Items::Held { text, ends } => hold(text, ends, item),
        }
        self.push_rest(query, value);
    }

    /// Adds a row whose item is copied: the side holds its items from then on.
    pub fn push_copy(&mut self, query: &str, item: &str, value: f64) {
        if let Items::Borrowed(items) = &self.items {
            let (mut text, mut ends) = (String::new(), Vec::with_capacity(items.capacity()));
            items.iter().for_each(|item| hold(&mut text, &mut ends, item));
            self.items = Items::Held { text, ends };
        }
        if let Items::Held { text, ends } = &mut self.items {
            hold(text, ends, item);
        }
        self.push_rest(query, value);
    }

    fn push_rest(&mut self, query: &str, value: f64) {
        if self.last_name().is_none_or(|last| last != query) {
            let run = Run { name: self.number_of(query), from: self.rows() };
            self.runs.push(run);
        }
        self.value.push(value);
    }

    fn last_name(&self) -> Option<&str> {
        let last = self.runs.last()?;
        self.names.get(last.name as usize).map(CompactString::as_str)
    }

    /// The number of a name, which may be new.
    fn number_of(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.numbers.get(name) {
            return known;
        }
        let number = self.names.len() as u32;
        let name = CompactString::from(name);
        self.numbers.insert(name.clone(), number);
        self.names.push(name);
        number
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.value.len()
    }

    /// The query of each row.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.runs().flat_map(|(name, rows)| {
            let name = self.names.get(name as usize).map_or("", CompactString::as_str);
            rows.map(move |_| name)
        })
    }

    /// The item of a row that there is; else empty.
    #[inline]
    pub fn item(&self, row: usize) -> &str {
        match &self.items {
            Items::Borrowed(items) => items.get(row).copied().unwrap_or_default(),
            Items::Held { text, ends } => {
                let from = row.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                let end = ends.get(row).copied().unwrap_or(from);
                text.get(from..end).unwrap_or_default()
            }
        }
    }

    /// Queries, each once, in the order of their first rows.
    pub(super) fn names(&self) -> &[CompactString] {
        &self.names
    }

    /// Rows of one query that follow each other, with its place in [`Side::names`].
    pub(super) fn runs(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        let ends = self.runs.iter().skip(1).map(|run| run.from).chain([self.rows()]);
        self.runs.iter().zip(ends).map(|(run, end)| (run.name, run.from..end))
    }
}

fn hold(text: &mut String, ends: &mut Vec<usize>, item: &str) {
    text.push_str(item);
    ends.push(text.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_put() {
        let rows = [("q", "跑鞋", 1.0), ("q", "", 2.0), ("p", "a", f64::INFINITY), ("q", "a", 0.0)];
        let (mut held, mut borrowed, mut mixed) = (Side::holding(), Side::borrowing(1), Side::borrowing(1));
        for (row, (query, item, value)) in rows.into_iter().enumerate() {
            held.push_copy(query, item, value);
            borrowed.push(query, item, value);
            match row {
                2 => mixed.push_copy(query, item, value),
                _ => mixed.push(query, item, value),
            }
        }
        for side in [held, borrowed, mixed] {
            let found = side.queries().zip(0..).map(|(query, row)| (query, side.item(row), side.value[row]));
            assert!(found.eq(rows));
            assert_eq!(side.rows(), rows.len());
            assert_eq!(side.names(), ["q", "p"]);
        }
    }
}

//! Filling a registered statement: `{name}` identifiers, `{=name}` expressions, `$name` values.

use super::super::{Connection, Flow, Result, StoreError, quote_ident};
use super::Query;
use crate::terms::Bindings;
use crate::util::cancel::Cancel;
use crate::util::lexis::skip_quoted;
use arrow::record_batch::RecordBatch;

impl Connection {
    /// Runs the registered statement `id` and collects its rows.
    pub fn registered_rows(&self, id: &str, fill: &Bindings, cancel: &Cancel) -> Result<RecordBatch> {
        let sql = self.filled(id, fill, cancel)?;
        self.collect(&sql, &fill.values, cancel).map_err(|e| in_query(e, id))
    }

    /// Runs the registered statement `id` and streams its rows; see `Flow` for stopping early.
    pub fn registered_stream(
        &self,
        id: &str,
        fill: &Bindings,
        cancel: &Cancel,
        each: impl FnMut(RecordBatch) -> Result<Flow>,
    ) -> Result<()> {
        let sql = self.filled(id, fill, cancel)?;
        self.stream(&sql, &fill.values, cancel, each).map(|_| ()).map_err(|e| in_query(e, id))
    }

    /// Runs the registered statement `id` for its effect; rows changed.
    pub fn registered_run(&self, id: &str, fill: &Bindings, cancel: &Cancel) -> Result<u64> {
        let sql = self.filled(id, fill, cancel)?;
        let changed = self.execute(&sql, &fill.values, cancel).map_err(|e| in_query(e, id));
        // What it makes or fills is one of the names that it was given.
        for name in fill.idents.iter().flat_map(|(_, names)| names) {
            self.shared.catalog.forget(name);
        }
        changed
    }

    /// The statement's text with its slots filled; expressions have passed the gate for cells.
    pub(crate) fn filled(&self, id: &str, fill: &Bindings, cancel: &Cancel) -> Result<String> {
        let query = super::query(id)?;
        let mut exprs = Vec::with_capacity(fill.exprs.len());
        for (name, text) in &fill.exprs {
            exprs.push((name.as_str(), self.check_expr(text, &fill.values, cancel)?));
        }
        render(query, &fill.idents, &exprs)
    }
}

fn in_query(mut error: StoreError, id: &str) -> StoreError {
    // A place in a registered file means nothing to the reader of a notebook.
    error.position = None;
    tracing::debug!(query = id, %error, "registered statement failed");
    error
}

/// Fills the slots. A slot without a filling, or a filling without a slot, is our own mistake.
fn render(query: &Query, idents: &[(String, Vec<String>)], exprs: &[(&str, String)]) -> Result<String> {
    let mut used = Vec::new();
    let out = replace(query, &mut |slot| {
        let filling = match slot {
            Slot::Expr(name) => exprs.iter().find(|(n, _)| n == name).map(|(_, sql)| format!("(\n{sql}\n)")),
            Slot::Ident(name) => idents.iter().find(|(n, _)| n == name).map(|(_, names)| list(names)),
            // Bound, not pasted.
            Slot::Value(name) => return Some(format!("${name}")),
        };
        used.push((slot.is_expr(), slot.name().to_owned()));
        filling
    })?;
    let given = idents.iter().map(|(n, _)| (false, n.as_str())).chain(exprs.iter().map(|(n, _)| (true, *n)));
    for (expr, name) in given {
        if !used.iter().any(|(e, n)| *e == expr && n == name) {
            return Err(StoreError::bug(format!("{}: there is no slot {name}", query.id)));
        }
    }
    Ok(out)
}

/// The statement's text with every slot replaced; `None` is our own mistake.
pub(super) fn replace(query: &Query, filling: &mut dyn FnMut(&Slot) -> Option<String>) -> Result<String> {
    let text = query.text();
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    while at < text.len() {
        if let Some(end) = skip_quoted(&text, at) {
            out.push_str(&text[at..end]);
            at = end;
        } else if let Some((slot, length)) = Slot::at(&text[at..]) {
            let missing = || StoreError::bug(format!("{}: nothing fills the slot {}", query.id, slot.name()));
            out.push_str(&filling(&slot).ok_or_else(missing)?);
            at += length;
        } else {
            let length = text[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&text[at..at + length]);
            at += length;
        }
    }
    Ok(out)
}

pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ")
}

/// `{name}`, `{=name}` or `$name` at the start of a text. Struct literals (`{'a': 1}`) are not slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot<'t> {
    Ident(&'t str),
    Expr(&'t str),
    Value(&'t str),
}

impl<'t> Slot<'t> {
    /// The slot, and how long it is.
    fn at(rest: &'t str) -> Option<(Self, usize)> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if let Some(after) = rest.strip_prefix('$') {
            let name = &after[..after.find(|c| !is_name(c)).unwrap_or(after.len())];
            let named = name.starts_with(|c: char| c.is_ascii_lowercase());
            return named.then_some((Self::Value(name), name.len() + 1));
        }
        let inside = rest.strip_prefix('{')?;
        let inside = &inside[..inside.find('}')?];
        let (expr, name) = inside.strip_prefix('=').map_or((false, inside), |name| (true, name));
        let named = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_name);
        let slot = if expr { Self::Expr(name) } else { Self::Ident(name) };
        named.then_some((slot, inside.len() + 2))
    }

    pub fn name(&self) -> &'t str {
        match self {
            Self::Ident(name) | Self::Expr(name) | Self::Value(name) => name,
        }
    }

    fn is_expr(&self) -> bool {
        matches!(self, Self::Expr(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: Query = Query {
        id: "x/y",
        file: "-- id: x/y\n-- reads: {rel}\n\nSELECT {cols}, {'a': 1}, '{rel}' FROM {rel} WHERE {=where} AND x = $x",
    };

    #[test]
    fn slots_are_filled_and_quoted() {
        let idents =
            vec![("rel".into(), vec!["t\"1".into()]), ("cols".into(), vec!["a".into(), "商品".into()])];
        let sql = render(&Q, &idents, &[("where", "b > 1".into())]).unwrap();
        assert_eq!(
            sql,
            "SELECT \"a\", \"商品\", {'a': 1}, '{rel}' FROM \"t\"\"1\" WHERE (\nb > 1\n) AND x = $x"
        );
        assert_eq!(Q.header("id"), Some("x/y"));
    }

    #[test]
    fn forgotten_and_surplus_fillings_are_named() {
        let rel = ("rel".to_owned(), vec!["t".to_owned()]);
        let e = render(&Q, std::slice::from_ref(&rel), &[("where", "1".into())]).unwrap_err();
        assert!(e.message.contains("cols"), "{e}");
        let all = vec![rel, ("cols".into(), vec!["a".into()]), ("typo".into(), vec![])];
        let e = render(&Q, &all, &[("where", "1".into())]).unwrap_err();
        assert!(e.message.contains("typo"), "{e}");
    }
}

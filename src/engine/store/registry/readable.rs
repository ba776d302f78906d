//! Registered statements as text for a reader: all slots filled in place, values too. The text is for a
//! cell, whose SQL passes the gate for cells when it runs; nothing here runs.

use super::super::Result;
use super::fill::{Slot, list, replace};
use crate::terms::Bindings;

impl Bindings {
    /// The statement of this id as one query: without `CREATE ... AS`, without `temp.`, and with
    /// literals where values would be bound. `terms`: SQL in the place of values.
    pub(crate) fn readable(&self, id: &str, terms: &[(&str, String)]) -> Result<String> {
        let text = replace(super::query(id)?, &mut |slot| self.filling(slot, terms))?;
        let text = match text.split_once(" AS\n") {
            Some((head, query)) if head.starts_with("CREATE ") => query,
            _ => &text,
        };
        let text = text.replace("temp.recscope_", "recscope_").replace("temp.\"recscope_", "\"recscope_");
        Ok(text.trim_end().to_owned())
    }

    /// The relations that the statement reads, as its header names them.
    pub(crate) fn reads(&self, id: &str) -> Result<Vec<String>> {
        let header = super::query(id)?.header("reads").unwrap_or_default();
        let mut names = Vec::new();
        for word in header.split([',', ' ']) {
            let word = word.trim_start_matches("temp.");
            let slot = word.strip_prefix('{').and_then(|inside| inside.strip_suffix('}'));
            let filled = slot.and_then(|slot| self.idents.iter().find(|(name, _)| name == slot));
            match filled {
                Some((_, idents)) => names.extend(idents.iter().cloned()),
                None if word.is_empty() => {}
                None => names.push(word.to_owned()),
            }
        }
        Ok(names)
    }

    fn filling(&self, slot: &Slot, terms: &[(&str, String)]) -> Option<String> {
        match slot {
            Slot::Ident(name) => self.idents.iter().find(|(n, _)| n == name).map(|(_, names)| list(names)),
            Slot::Expr(name) => self.exprs.iter().find(|(n, _)| n == name).map(|(_, sql)| bare(sql)),
            Slot::Value(name) => {
                let term = terms.iter().find(|(n, _)| n == name).map(|(_, sql)| sql.clone());
                term.or_else(|| self.values.iter().find(|(n, _)| n == name).map(|(_, value)| value.literal()))
            }
        }
    }
}

/// An expression, in parentheses where it needs them.
fn bare(sql: &str) -> String {
    let single = sql.chars().all(|c| c.is_alphanumeric() || "_.\"$".contains(c));
    let closed = sql.ends_with(')') && sql.matches('(').count() == 1 && !sql.contains(' ');
    if single || closed {
        return sql.to_owned();
    }
    // A comment at its end must not swallow what comes behind.
    if sql.contains("--") { format!("(\n{sql}\n)") } else { format!("({sql})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_becomes_a_query_of_its_own() {
        let fill =
            Bindings::new().ident("rows", "recscope_unique").expr("item", "item").value("relevant_at", 1.5);
        let text = fill.readable("metrics/ranked", &[]).unwrap();
        assert!(text.starts_with("SELECT\n    list,\n    CAST(item AS VARCHAR) AS item"), "{text}");
        assert!(text.contains("gain >= 1.5, FALSE") && text.ends_with("FROM \"recscope_unique\""), "{text}");
        assert_eq!(fill.reads("metrics/ranked").unwrap(), ["recscope_unique"]);
        let term = [("top", "greatest(4.0, 2)".to_owned())];
        let text = Bindings::new().value("k", 10_i64).readable("metrics/err", &term).unwrap();
        assert!(text.contains("pow(2, greatest(4.0, 2))") && text.contains("rank <= 10"), "{text}");
        assert_eq!(Bindings::new().reads("metrics/err").unwrap(), ["recscope_ranked", "recscope_lists"]);
    }

    #[test]
    fn expressions_keep_what_holds_them_together() {
        assert_eq!(bare("source.\"query\""), "source.\"query\"");
        assert_eq!(bare("trunc(x)"), "trunc(x)");
        assert_eq!(bare("a OR b"), "(a OR b)");
        assert_eq!(bare("trunc(x)+(1)"), "(trunc(x)+(1))");
        assert_eq!(bare("a -- why"), "(\na -- why\n)");
    }
}

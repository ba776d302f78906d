//! The SQL that selects a group's rows, for drilling down.

use crate::terms::{quote_ident, quote_text};

/// `"region" = 'south' AND "device" IS NULL`; `TRUE` without columns. DuckDB reads the quoted value
/// as the column's own type.
pub fn predicate(columns: &[String], values: &[Option<String>]) -> String {
    let condition = |(column, value): (&String, &Option<String>)| match value {
        None => format!("{} IS NULL", quote_ident(column)),
        Some(value) => format!("{} = {}", quote_ident(column), quote_text(value)),
    };
    let conditions: Vec<String> = columns.iter().zip(values).map(condition).collect();
    if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_null() {
        let columns = ["品牌 \"x\"".to_owned(), "region".to_owned()];
        let values = [Some("O'Neill".to_owned()), None];
        assert_eq!(predicate(&columns, &values), "\"品牌 \"\"x\"\"\" = 'O''Neill' AND \"region\" IS NULL");
        assert_eq!(predicate(&[], &[]), "TRUE");
    }
}

//! Quoting: the one way for a name or a text to get into SQL. Nothing else builds SQL from data.

/// `a"b` -> `"a""b"`. A NUL cannot be in an identifier and is dropped.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

/// `it's` -> `'it''s'`. For file paths and options; values of the user are bound, never quoted.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nul_is_dropped() {
        assert_eq!(quote_ident("a\"; DROP\0 TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(quote_text("it's"), "'it''s'");
        assert_eq!(quote_ident("跑鞋"), "\"跑鞋\"");
    }
}

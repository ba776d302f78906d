//! What gets into SQL from outside: values that are bound, names and texts that are quoted, and what fills a
//! registered statement. The one way there; statements themselves stand in `queries/`.

/// A value bound to a `$name` parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl SqlValue {
    /// As a text that SQL reads as this value: for what a person is shown to run, and for options of readers,
    /// which take no parameters.
    pub fn literal(&self) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Bool(value) => value.to_string().to_uppercase(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) if value.is_finite() => format!("{value:?}"),
            Self::Float(value) => format!("'{value}'::DOUBLE"),
            Self::Text(text) => quote_text(text),
        }
    }
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for SqlValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for SqlValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What fills a registered statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings {
    /// `{name}`: each quoted; several become `"a", "b"`.
    pub idents: Vec<(String, Vec<String>)>,
    /// `{=name}`: SQL expressions that the notebook's author wrote, e.g. a `where`; put in parentheses.
    pub exprs: Vec<(String, String)>,
    /// `$name`, and `{{name}}` inside of expressions.
    pub values: Vec<(String, SqlValue)>,
}

impl Bindings {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn ident(mut self, name: &str, ident: impl Into<String>) -> Self {
        self.idents.push((name.into(), vec![ident.into()]));
        self
    }

    pub fn idents(mut self, name: &str, idents: Vec<String>) -> Self {
        self.idents.push((name.into(), idents));
        self
    }

    pub fn expr(mut self, name: &str, sql: impl Into<String>) -> Self {
        self.exprs.push((name.into(), sql.into()));
        self
    }

    pub fn value(mut self, name: &str, value: impl Into<SqlValue>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }
}

/// `a"b` -> `"a""b"`. An identifier cannot hold a NUL: it is dropped, and the name is not found.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

/// `it's` -> `'it''s'`. A literal cannot hold a NUL: such a text becomes the pieces around it, put together
/// (`('a' || chr(0) || 'b')`), so that it equals itself and nothing else; where only a literal may stand, as
/// in paths and options, the database refuses that.
pub fn quote_text(text: &str) -> String {
    let pieces: Vec<String> =
        text.split('\0').map(|piece| format!("'{}'", piece.replace('\'', "''"))).collect();
    match &pieces[..] {
        [whole] => whole.clone(),
        pieces => format!("({})", pieces.join(" || chr(0) || ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nul_is_never_text() {
        assert_eq!(quote_ident("a\"; DROP\0 TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(quote_text("it's"), "'it''s'");
        assert_eq!(quote_text("跑\0鞋'"), "('跑' || chr(0) || '鞋''')");
        assert_eq!(quote_ident("跑鞋"), "\"跑鞋\"");
    }

    #[test]
    fn every_value_has_a_literal() {
        let told = [
            SqlValue::Null,
            true.into(),
            3.into(),
            0.5.into(),
            f64::INFINITY.into(),
            f64::NAN.into(),
            "it's".into(),
        ]
        .map(|value| value.literal());
        assert_eq!(told, ["NULL", "TRUE", "3", "0.5", "'inf'::DOUBLE", "'NaN'::DOUBLE", "'it''s'"]);
    }
}

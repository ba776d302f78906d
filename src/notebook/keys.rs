//! What one key of a cell takes: its type in words and its place in the CELLS table (`cells.rs`).

/// One key of a TOML body.
#[derive(Debug)]
pub struct KeyDef {
    pub name: &'static str,
    pub ty: KeyType,
    pub required: bool,
    /// As written in TOML, or words for a default that depends.
    pub default: Option<&'static str>,
    pub doc: &'static str,
    /// A value as written in TOML.
    pub value: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyType {
    /// A cell or source name.
    Relation,
    Relations,
    Column,
    Columns,
    /// SQL that may hold `{{param}}`s, bound as values.
    Sql,
    Text,
    Texts,
    Metric,
    Metrics,
    Checks,
    /// Columns and intersections: `"a"`, `"a*b"`.
    Slices,
    Model,
    Path,
    /// Two columns.
    Pair,
    /// Two texts, either of which may be empty; taken as they stand, with their spaces.
    Prefixes,
    /// Numbers by name: `{ good = 1.0, bad = 0.0 }`.
    Numbers,
    Choice(&'static [&'static str]),
    Flag,
    Integer(i64, i64),
    Number(f64, f64),
    /// A share between 0 and 1, or SQL.
    ShareOrText,
}

impl KeyType {
    /// In words, for messages and docs.
    pub fn describe(self) -> String {
        match self {
            KeyType::Relation => "the name of a cell or source".into(),
            KeyType::Relations => "a list of cells or sources".into(),
            KeyType::Column => "a column name".into(),
            KeyType::Columns => "a list of column names".into(),
            KeyType::Sql => "SQL".into(),
            KeyType::Text => "text".into(),
            KeyType::Texts => "a list of texts".into(),
            KeyType::Metric => "a metric id".into(),
            KeyType::Metrics => "a list of metric ids".into(),
            KeyType::Checks => "a list of checks".into(),
            KeyType::Slices => "a list of columns or intersections (\"a*b\")".into(),
            KeyType::Model => "a model folder".into(),
            KeyType::Path => "a path".into(),
            KeyType::Pair => "two column names".into(),
            KeyType::Prefixes => "two texts".into(),
            KeyType::Numbers => "numbers by name, as { name = 1.0, other = 0.0 }".into(),
            KeyType::Choice(words) => format!("one of {}", words.join(", ")),
            KeyType::Flag => "true or false".into(),
            KeyType::Integer(least, i64::MAX) => format!("a whole number from {least} on"),
            KeyType::Integer(least, most) => format!("a whole number from {least} to {most}"),
            KeyType::Number(least, most) if least == f64::MIN && most == f64::MAX => "a number".into(),
            KeyType::Number(least, f64::MAX) => format!("a number from {least} on"),
            KeyType::Number(least, most) => format!("a number from {least} to {most}"),
            KeyType::ShareOrText => "a share between 0 and 1, or an SQL predicate".into(),
        }
    }
}

impl KeyDef {
    pub(super) const fn new(name: &'static str, ty: KeyType, value: &'static str, doc: &'static str) -> Self {
        Self { name, ty, required: false, default: None, doc, value }
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// `name = value`.
    pub fn example(&self) -> String {
        format!("{} = {}", self.name, self.value)
    }
}

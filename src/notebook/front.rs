//! The front matter: YAML between `---` that names version, parameters, sources and column roles.
//! Opening sources is the store's business.

use std::collections::HashMap;

use serde_json::{Map, Value};

mod keys;

use keys::{Keys, Spot};

use super::diagnostics::nearest;
use super::params::is_param_name;
use super::spec::Roles;
use super::{Diagnostic, Params, document};
use crate::terms::SqlValue;

/// What the front matter says. Unknown keys are warnings; damaged YAML is one error and an empty front.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Front {
    /// `recscope: 1`.
    pub version: Option<i64>,
    pub params: Vec<(String, SqlValue)>,
    pub sources: Vec<Source>,
    /// Column roles that cells take where they name none.
    pub schema: Roles,
    /// The remark of a new notebook still stands at `schema:`: nobody has confirmed these roles.
    pub schema_guessed: bool,
    pub diagnostics: Vec<Diagnostic>,
    /// Place of each source, by its name in lower case.
    by_name: HashMap<String, usize>,
}

/// A named input: files, globs, folders, a DuckDB file, http(s) or s3 paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    pub name: String,
    /// As written; relative ones start from the notebook's folder.
    pub paths: Vec<String>,
    /// `parquet`, `csv`, `json`, `duckdb`; `None`: told from the path.
    pub format: Option<String>,
    /// Options of DuckDB's reader, in order, e.g. `delim`, `header`.
    pub options: Vec<(String, SqlValue)>,
    /// In the file, counted from 1.
    pub line: u32,
}

/// Keys of the front matter: name, what it holds.
pub const KEYS: [(&str, &str); 4] = [
    ("recscope", "version of the notebook format: 1"),
    ("params", "named values, used as {{name}}; `--set name=value` replaces them"),
    ("sources", "named data: a path, a list of paths, or {path, format, options}"),
    ("schema", "column roles that cells take where they name none"),
];

/// Keys of `schema`: role, what the column holds.
pub const ROLES: [(&str, &str); 22] = [
    ("query", "what was searched for, or the session or user a list was made for"),
    ("item", "id of what was shown"),
    ("user", "who saw it"),
    ("position", "rank shown, counted from 1"),
    ("score", "what the list was ordered by, higher is better"),
    ("label", "binary outcome: clicked, bought"),
    ("gain", "graded relevance"),
    ("purchase", "bought, beside a label that says clicked"),
    ("time", "when it was shown"),
    ("propensity", "probability with which the logging policy showed the item"),
    ("target", "probability with which another policy would have shown it"),
    ("reward", "what the row brought, instead of label or gain"),
    ("q_logged", "a reward model's prediction for the shown item"),
    ("q_target", "the model's expectation under the other policy"),
    ("examination", "probability that the position was looked at"),
    ("revenue", "money that the row brought"),
    ("margin", "what remained of it"),
    ("category", "category of the item, or a list of subtopics"),
    ("embedding", "embedding of the item, a list of numbers"),
    ("published", "when the item was published"),
    ("other", "a second score of the same rows, to compare two orders"),
    ("text", "text columns, as a list"),
];

/// Readers that a source may name.
pub const FORMATS: [&str; 4] = ["parquet", "csv", "json", "duckdb"];

impl Front {
    /// Reads the block with its `---` lines.
    pub fn parse(block: &str) -> Self {
        let mut reader = Reader { block, keys: Keys::new(block), front: Front::default() };
        let yaml = between(block);
        if !yaml.trim().is_empty() {
            match serde_saphyr::from_str::<Value>(yaml) {
                Ok(Value::Object(map)) => reader.top(&map),
                Ok(Value::Null) => {}
                Ok(_) => reader.error(2, "the front matter is not a list of `key: value` lines", None),
                Err(error) => reader.damaged(&error),
            }
        }
        reader.front
    }

    /// The source of that name; case does not count.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(*self.by_name.get(&name.to_lowercase())?)
    }
}

/// The YAML without its marks, with line 1 of the file still line 1.
fn between(block: &str) -> &str {
    let start = block.find('\n').unwrap_or(block.len());
    let rest = &block[start..];
    let body = rest.trim_end_matches(['\n', '\r', ' ', '\t']);
    body.rfind('\n').map_or("", |end| &body[..=end])
}

impl Source {
    /// The source with `{{name}}`s in its paths filled in.
    pub fn filled(&self, params: &Params) -> Result<Source, Diagnostic> {
        let paths = self.paths.iter().map(|path| params.fill(path)).collect::<Result<_, _>>();
        let paths = paths.map_err(|name| {
            let message = format!("source `{}`: there is no parameter `{name}`", self.name);
            Diagnostic::error(self.line, 1, message).suggest_from(&name, params.iter().map(|(name, _)| name))
        })?;
        Ok(Source { paths, ..self.clone() })
    }
}

struct Reader<'a> {
    block: &'a str,
    keys: Keys<'a>,
    front: Front,
}

impl Reader<'_> {
    fn error(&mut self, line: u32, message: impl Into<String>, suggestion: Option<String>) {
        let fault = Diagnostic { suggestion, ..Diagnostic::error(line, 1, message) };
        self.front.diagnostics.push(fault);
    }

    fn damaged(&mut self, error: &serde_saphyr::Error) {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line() as u32, at.column() as u32));
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        self.front.diagnostics.push(
            Diagnostic::error(line, column, format!("the front matter is not valid YAML: {message}"))
                .suggest("quote values that hold `:`, `#`, `{` or `*` at their start"),
        );
    }

    fn top(&mut self, map: &Map<String, Value>) {
        let mut here = self.keys.first();
        for (key, value) in map {
            here = self.keys.spot(key, here);
            match key.as_str() {
                "recscope" => self.version(value, here.line),
                "params" => self.params(value, here),
                "sources" => self.sources(value, here),
                "schema" => self.schema(value, here),
                _ => {
                    self.unknown(key, here.line, "the front matter has no key", KEYS.iter().map(|(k, _)| *k))
                }
            }
        }
    }

    fn unknown<'k>(&mut self, key: &str, line: u32, what: &str, known: impl Iterator<Item = &'k str>) {
        let fault = Diagnostic::warning(line, 1, format!("{what} `{key}`"));
        self.front.diagnostics.push(fault.suggest_from(key, known));
    }

    fn version(&mut self, value: &Value, line: u32) {
        self.front.version = value.as_i64();
        if value.as_i64() != Some(1) {
            let hint = "this program reads `recscope: 1`; a newer one may be needed".to_string();
            self.error(line, format!("unknown notebook version {value}"), Some(hint));
        }
    }

    fn params(&mut self, value: &Value, mut here: Spot) {
        let Some(map) = self.map(value, here.line, "params", "params: { k: 10 }") else { return };
        for (key, value) in map {
            here = self.keys.spot(key, here);
            let line = here.line;
            if !is_param_name(key) {
                let hint = "parameter names are ASCII letters, digits and _".to_string();
                self.error(line, format!("`{key}` cannot name a parameter"), Some(hint));
                continue;
            }
            match scalar(value) {
                Some(value) => self.front.params.push((key.clone(), value)),
                None => self.error(line, format!("parameter `{key}` is not a single value"), None),
            }
        }
    }

    fn sources(&mut self, value: &Value, mut here: Spot) {
        let example = "sources:\n  logs: data/*.parquet";
        let Some(map) = self.map(value, here.line, "sources", example) else { return };
        for (name, value) in map {
            here = self.keys.spot(name, here);
            let line = here.line;
            if !document::is_identifier(name) {
                let hint = format!("call it `{}`", document::identifier(name));
                self.error(line, format!("`{name}` cannot name a source"), Some(hint));
                continue;
            }
            if let Some(first) = self.front.source(name) {
                let message = format!("the source `{name}` is already named on line {}", first.line);
                self.error(line, message, None);
                continue;
            }
            let source = self.source(name, value, here);
            if source.paths.is_empty() {
                let hint = format!("write `{name}: path/to/file.parquet`");
                self.error(line, format!("source `{name}` has no path"), Some(hint));
            } else {
                self.front.by_name.insert(name.to_lowercase(), self.front.sources.len());
                self.front.sources.push(source);
            }
        }
    }

    fn source(&mut self, name: &str, value: &Value, mut here: Spot) -> Source {
        let mut source =
            Source { name: name.into(), line: here.line, paths: paths(value), ..Source::default() };
        let Value::Object(map) = value else { return source };
        for (key, value) in map {
            here = self.keys.spot(key, here);
            let line = here.line;
            match key.as_str() {
                "path" | "paths" => source.paths = paths(value),
                "format" => source.format = self.format(value, line),
                "options" => {
                    let options = self.map(value, line, "options", "options: { delim: \";\" }");
                    for (key, value) in options.into_iter().flatten() {
                        match scalar(value) {
                            Some(value) if is_param_name(key) => source.options.push((key.clone(), value)),
                            _ => self.error(line, format!("option `{key}` is not a single value"), None),
                        }
                    }
                }
                _ => {
                    // What is passed over here would be read in another way than somebody meant.
                    let hint = match nearest(key, ["path", "format", "options"]) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("options of the reader stand below: options: {{ {key}: ... }}"),
                    };
                    self.error(line, format!("a source has no key `{key}`"), Some(hint));
                }
            }
        }
        source
    }

    fn format(&mut self, value: &Value, line: u32) -> Option<String> {
        let format = value.as_str().unwrap_or_default();
        if FORMATS.contains(&format) {
            return Some(format.to_string());
        }
        let near = nearest(format, FORMATS).unwrap_or("parquet");
        let hint = format!("did you mean `{near}`? There are: {}", FORMATS.join(", "));
        self.error(line, format!("unknown format {value}"), Some(hint));
        None
    }

    fn schema(&mut self, value: &Value, mut here: Spot) {
        let example = "schema: { query: q, item: sku }";
        let Some(map) = self.map(value, here.line, "schema", example) else { return };
        let written = self.block.lines().nth(here.line.saturating_sub(1) as usize).unwrap_or_default();
        self.front.schema_guessed = written.contains("# guessed");
        for (role, value) in map {
            here = self.keys.spot(role, here);
            let line = here.line;
            if role == "text" {
                self.front.schema.text = paths(value);
            } else if let Some(slot) = self.front.schema.slot(role) {
                *slot = value.as_str().map(String::from);
                if slot.is_none() {
                    let hint = format!("write `{role}: column_name`");
                    self.error(line, format!("role `{role}` does not name one column"), Some(hint));
                }
            } else {
                self.unknown(role, line, "there is no role", ROLES.iter().map(|(k, _)| *k));
            }
        }
    }

    fn map<'v>(
        &mut self,
        value: &'v Value,
        line: u32,
        key: &str,
        example: &str,
    ) -> Option<&'v Map<String, Value>> {
        match value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            _ => {
                let hint = format!("write e.g. `{example}`");
                self.error(line, format!("`{key}` is not a list of names and values"), Some(hint));
                None
            }
        }
    }
}

/// The single column of a role, by its word; leaves the function with `None` for other words.
macro_rules! column_of {
    ($roles:ident, $role:ident, & $($borrow:tt)?) => {
        match $role {
            "query" => & $($borrow)? $roles.query,
            "item" => & $($borrow)? $roles.item,
            "user" => & $($borrow)? $roles.user,
            "position" => & $($borrow)? $roles.position,
            "score" => & $($borrow)? $roles.score,
            "label" => & $($borrow)? $roles.label,
            "gain" => & $($borrow)? $roles.gain,
            "purchase" => & $($borrow)? $roles.purchase,
            "time" => & $($borrow)? $roles.time,
            "propensity" => & $($borrow)? $roles.propensity,
            "target" => & $($borrow)? $roles.target,
            "reward" => & $($borrow)? $roles.reward,
            "q_logged" => & $($borrow)? $roles.q_logged,
            "q_target" => & $($borrow)? $roles.q_target,
            "examination" => & $($borrow)? $roles.examination,
            "revenue" => & $($borrow)? $roles.revenue,
            "margin" => & $($borrow)? $roles.margin,
            "category" => & $($borrow)? $roles.category,
            "embedding" => & $($borrow)? $roles.embedding,
            "published" => & $($borrow)? $roles.published,
            "other" => & $($borrow)? $roles.other,
            _ => return None,
        }
    };
}

impl Roles {
    /// The single column of a role; `None` for `text` and unknown words.
    pub fn slot(&mut self, role: &str) -> Option<&mut Option<String>> {
        Some(column_of!(self, role, &mut))
    }

    /// As [`Roles::slot`], to read.
    pub fn column(&self, role: &str) -> Option<&Option<String>> {
        Some(column_of!(self, role, &))
    }

    /// Role and column of every role that names one; text columns each on their own.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let named = |(role, _): &(&'static str, _)| {
            self.column(role).and_then(|column| column.as_deref()).map(|column| (*role, column))
        };
        let mut pairs: Vec<(&'static str, &str)> = ROLES.iter().filter_map(named).collect();
        pairs.extend(self.text.iter().map(|column| ("text", column.as_str())));
        pairs
    }
}

fn paths(value: &Value) -> Vec<String> {
    match value {
        Value::String(path) => vec![path.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(String::from).collect(),
        _ => Vec::new(),
    }
}

fn scalar(value: &Value) -> Option<SqlValue> {
    Some(match value {
        Value::Null => SqlValue::Null,
        Value::Bool(value) => SqlValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => SqlValue::Int(value),
            None => SqlValue::Float(number.as_f64()?),
        },
        Value::String(text) => SqlValue::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let front = Front::parse(text);
        front.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_part_is_read() {
        let front = Front::parse(
            "---\nrecscope: 1\nparams: { k: 10, share: 0.5, who: 跑鞋, on: true }\nsources:\n  \
             impressions: logs/day=2026-11-20/*.parquet\n  judged: [a.csv, b.csv]\n  \
             raw: { path: x.txt, format: csv, options: { delim: ';', header: false } }\n\
             schema: { query: q, item: sku, text: [title, 描述] }\n---\n",
        );
        assert_eq!(front.diagnostics, []);
        assert_eq!(front.version, Some(1));
        assert_eq!(front.params[0], ("k".into(), SqlValue::Int(10)));
        assert_eq!(front.params[1].1, SqlValue::Float(0.5));
        assert_eq!(front.params[2].1, SqlValue::Text("跑鞋".into()));
        assert_eq!(front.params[3].1, SqlValue::Bool(true));
        assert_eq!(front.source("Judged").unwrap().paths, ["a.csv", "b.csv"]);
        let raw = front.source("raw").unwrap();
        assert_eq!((raw.format.as_deref(), raw.line), (Some("csv"), 7));
        assert_eq!(raw.options[1], ("header".into(), SqlValue::Bool(false)));
        assert_eq!(
            front.schema.pairs(),
            [("query", "q"), ("item", "sku"), ("text", "title"), ("text", "描述")]
        );
    }

    #[test]
    fn faults_have_lines_and_suggestions() {
        assert!(said("---\nrecscope: 1\nsource:\n  a: b\n---\n").starts_with("3:1: "));
        assert!(said("---\nsource: x\n---\n").contains("did you mean `sources`?"));
        assert!(said("---\nrecscope: 2\n---\n").contains("version 2"));
        assert!(said("---\nschema: { qurey: x }\n---\n").contains("did you mean `query`?"));
        assert!(said("---\nsources:\n  a-b: x\n---\n").contains("`a_b`"));
        assert!(said("---\nsources:\n  a: {format: parquett, path: x}\n---\n").contains("`parquet`"));
        assert!(said("---\n- a\n---\n").contains("not a list of"));
    }

    #[test]
    fn paths_take_parameters() {
        let filled = |text: &str| {
            let front = Front::parse(text);
            front.sources[0].filled(&Params::new(&front.params)).map(|s| s.paths).map_err(|e| e.to_string())
        };
        let text = "---\nparams: { dir: logs }\nsources: { a: \"{{dir}}/x.csv\" }\n---\n";
        assert_eq!(filled(text).unwrap(), ["logs/x.csv"]);
        assert!(filled(&text.replace("{{dir}}", "{{dri}}")).unwrap_err().contains("did you mean `dir`?"));
    }

    #[test]
    fn broken_yaml_names_its_line() {
        let front = Front::parse("---\nrecscope: 1\nparams: { k: [ }\n---\n");
        assert_eq!(front.diagnostics.len(), 1);
        assert_eq!(front.diagnostics[0].line, 3, "{:?}", front.diagnostics);
        assert!(front.diagnostics[0].message.contains("YAML"));
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["---\n---\n", "---\n# c\n---", "---\r\n\r\n---\r\n"] {
            assert_eq!(Front::parse(text).diagnostics, [], "{text:?}");
        }
    }
}

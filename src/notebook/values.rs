//! A TOML body against its CELLS entry: keys known, types right, parameters filled. Gives typed
//! values by key; putting them together into a request is `specs.rs`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::cells::{CellDef, KeyDef, KeyType};
use super::{Cell, Diagnostic, Params};
use crate::terms::Choice;

/// The body's values by key, already of the type the table asks for.
pub(super) struct Values<'a> {
    cell: &'a Cell,
    def: &'static CellDef,
    found: Vec<(&'static str, Value, usize)>,
    pub(super) faults: Vec<Diagnostic>,
    /// The body is not TOML: the first fault says where, and what else seems wrong may come of it.
    pub(super) broken: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    List(Vec<String>),
    Flag(bool),
    Int(i64),
    Float(f64),
    Numbers(Vec<(String, f64)>),
}

/// What to do about a syntax error, as far as its message tells.
fn remedy(message: &str) -> &'static str {
    if message.contains("array") {
        "a list is written [\"a\", \"b\"]: see whether one is not closed"
    } else {
        "texts stand in double quotes, e.g. key = \"value\""
    }
}

impl<'a> Values<'a> {
    /// Reads a body. What cannot be read is a fault, the rest is kept.
    pub(super) fn read(cell: &'a Cell, def: &'static CellDef, params: &Params) -> Self {
        let mut values = Self { cell, def, found: Vec::new(), faults: Vec::new(), broken: false };
        let (table, errors) = DeTable::parse_recoverable(&cell.body);
        // The first one is the fault; those behind it come of it.
        let at = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        if let Some(error) = errors.iter().min_by_key(|error| at(error)) {
            let message = error.message().lines().next().unwrap_or_default();
            let fault = cell.fault(at(error), format!("not valid TOML: {message}"));
            values.faults.push(fault.suggest(remedy(message)));
            values.broken = true;
        }
        let broken = values.broken;
        for (key, value) in table.get_ref() {
            let name: &str = key.get_ref();
            match def.keys().find(|k| k.name == name) {
                Some(def) => values.take(def, value, params),
                // After a syntax error half a key is no news.
                None if broken => {}
                None => {
                    let fault =
                        cell.fault(key.span().start, format!("a {} cell has no key `{name}`", def.kind));
                    values.faults.push(fault.suggest_from(name, def.keys().map(|k| k.name)));
                }
            }
        }
        for key in def.keys().filter(|key| key.required && !broken) {
            let written = table.get_ref().iter().any(|(name, _)| name.get_ref() == key.name);
            if written {
                continue;
            }
            let fault = cell.fault(0, format!("`{}` is missing", key.name));
            values.faults.push(fault.suggest(format!("{}, e.g. {}", key.doc, key.example())));
        }
        values
    }

    fn take(&mut self, key: &'static KeyDef, value: &Spanned<DeValue<'_>>, params: &Params) {
        let at = value.span().start;
        match read_value(key, value.get_ref(), params) {
            Ok(read) => self.found.push((key.name, read, at)),
            Err(message) => {
                let fault = self.cell.fault(at, message);
                self.faults.push(fault.suggest(format!("e.g. {}", key.example())));
            }
        }
    }

    /// Is it a key of the cell's kind?
    pub(super) fn knows(&self, key: &str) -> bool {
        self.def.keys().any(|known| known.name == key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.found.iter().any(|(name, ..)| *name == key)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.found.iter().find(|(name, ..)| *name == key).map(|(_, value, _)| value)
    }

    /// Byte offset of a key's value in the body; 0 when it is not there.
    pub(super) fn offset(&self, key: &str) -> usize {
        self.found.iter().find(|(name, ..)| *name == key).map_or(0, |(.., at)| *at)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A setting of a few words; its default when the key is not there (another word is a fault already).
    pub(super) fn choice<C: Choice>(&self, key: &str) -> C {
        self.text(key).and_then(|word| C::parse(&word)).unwrap_or_default()
    }

    /// A list, or a single text as a list of one; empty when the key is not there.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::List(list)) => list.clone(),
            Some(Value::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// Numbers by name, in the order written.
    pub(super) fn numbers(&self, key: &str) -> Option<Vec<(String, f64)>> {
        match self.get(key)? {
            Value::Numbers(numbers) => Some(numbers.clone()),
            _ => None,
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Flag(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> super::Kind {
        self.cell.kind
    }

    /// Adds a warning at a key's value.
    pub(super) fn warn(&mut self, key: &str, message: &str) {
        let fault = self.cell.fault(self.offset(key), message);
        self.faults.push(Diagnostic { severity: super::Severity::Warning, ..fault });
    }

    /// Adds an error at a key's value.
    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>, suggestion: Option<String>) {
        let fault = self.cell.fault(self.offset(key), message);
        self.faults.push(Diagnostic { suggestion, ..fault });
    }
}

fn read_value(key: &KeyDef, value: &DeValue<'_>, params: &Params) -> Result<Value, String> {
    let wrong = || format!("`{}` takes {}, not {}", key.name, key.ty.describe(), describe(value));
    match key.ty {
        KeyType::Sql => match value {
            DeValue::String(text) if text.trim().is_empty() => Err(format!("`{}` is empty", key.name)),
            DeValue::String(text) => Ok(Value::Text(text.to_string())),
            _ => Err(wrong()),
        },
        KeyType::Text
        | KeyType::Relation
        | KeyType::Column
        | KeyType::Metric
        | KeyType::Model
        | KeyType::Path => single(key, value, params, &wrong).map(Value::Text),
        KeyType::Choice(words) => {
            let word = single(key, value, params, &wrong)?;
            if words.contains(&word.as_str()) {
                return Ok(Value::Text(word));
            }
            let near = super::diagnostics::nearest(&word, words.iter().copied());
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(format!("`{}` takes {}, not `{word}`{hint}", key.name, key.ty.describe()))
        }
        KeyType::Columns
        | KeyType::Relations
        | KeyType::Metrics
        | KeyType::Checks
        | KeyType::Texts
        | KeyType::Slices => list(key, value, params, &wrong).map(Value::List),
        KeyType::Pair => {
            let list = list(key, value, params, &wrong)?;
            if list.len() == 2 { Ok(Value::List(list)) } else { Err(wrong()) }
        }
        KeyType::Prefixes => match value {
            DeValue::Array(texts) if texts.len() == 2 => {
                let texts = texts.iter().map(|text| raw(text.get_ref(), params, &wrong));
                texts.collect::<Result<_, _>>().map(Value::List)
            }
            _ => Err(wrong()),
        },
        KeyType::Numbers => match value {
            DeValue::Table(table) if !table.is_empty() => {
                let numbers = table.iter().map(|(name, value)| {
                    let number =
                        number(value.get_ref(), params, &wrong)?.parse::<f64>().map_err(|_| wrong())?;
                    Ok((name.get_ref().to_string(), number))
                });
                numbers.collect::<Result<_, String>>().map(Value::Numbers)
            }
            _ => Err(wrong()),
        },
        KeyType::Flag => match value {
            DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
            _ => Err(wrong()),
        },
        KeyType::Integer(least, most) => {
            let number = number(value, params, &wrong)?;
            let whole = number.parse::<i64>().map_err(|_| wrong())?;
            if (least..=most).contains(&whole) {
                Ok(Value::Int(whole))
            } else {
                Err(format!("`{}` is {whole}; it takes {}", key.name, key.ty.describe()))
            }
        }
        KeyType::Number(least, most) => {
            let number = number(value, params, &wrong)?;
            let real = number.parse::<f64>().map_err(|_| wrong())?;
            if real >= least && real <= most {
                Ok(Value::Float(real))
            } else {
                Err(format!("`{}` is {number}; it takes {}", key.name, key.ty.describe()))
            }
        }
        KeyType::ShareOrText => match value {
            DeValue::Float(_) | DeValue::Integer(_) => {
                let real = number(value, params, &wrong)?.parse::<f64>().map_err(|_| wrong())?;
                if real > 0.0 && real < 1.0 { Ok(Value::Float(real)) } else { Err(wrong()) }
            }
            DeValue::String(text) if !text.trim().is_empty() => Ok(Value::Text(text.to_string())),
            _ => Err(wrong()),
        },
    }
}

fn fill(key: &KeyDef, text: &str, params: &Params) -> Result<String, String> {
    let filled = params.fill(text).map_err(|name| {
        let near = super::diagnostics::nearest(&name, params.iter().map(|(name, _)| name));
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{{{{{near}}}}}`?"));
        format!("there is no parameter `{name}`{hint}")
    })?;
    if filled.trim().is_empty() {
        return Err(format!("`{}` is empty", key.name));
    }
    Ok(filled)
}

/// A text with its parameters filled, which may be empty.
fn raw(value: &DeValue<'_>, params: &Params, wrong: &dyn Fn() -> String) -> Result<String, String> {
    match value {
        DeValue::String(text) => params.fill(text).map_err(|name| format!("there is no parameter `{name}`")),
        _ => Err(wrong()),
    }
}

fn single(
    key: &KeyDef,
    value: &DeValue<'_>,
    params: &Params,
    wrong: &dyn Fn() -> String,
) -> Result<String, String> {
    match value {
        DeValue::String(text) => fill(key, text, params),
        _ => Err(wrong()),
    }
}

fn list(
    key: &KeyDef,
    value: &DeValue<'_>,
    params: &Params,
    wrong: &dyn Fn() -> String,
) -> Result<Vec<String>, String> {
    match value {
        DeValue::String(text) => Ok(vec![fill(key, text, params)?]),
        DeValue::Array(values) => {
            values.iter().map(|value| single(key, value.get_ref(), params, wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// A number's digits; a text may stand for one when a parameter fills it.
fn number(value: &DeValue<'_>, params: &Params, wrong: &dyn Fn() -> String) -> Result<String, String> {
    match value {
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map(|n| n.to_string()).map_err(|_| wrong())
        }
        DeValue::Float(number) => Ok(number.as_str().replace('_', "")),
        DeValue::String(text) if text.contains("{{") => {
            params.fill(text).map_err(|name| format!("there is no parameter `{name}`"))
        }
        _ => Err(wrong()),
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("the text \"{short}\"")
        }
        DeValue::Integer(number) => number.as_str().to_string(),
        DeValue::Float(number) => number.as_str().to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(list) => format!("a list of {}", list.len()),
        DeValue::Table(_) => "a table".into(),
    }
}

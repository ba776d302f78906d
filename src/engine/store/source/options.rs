//! Options of a source as the front matter writes them: name and value.

use super::super::{ErrorKind, Result, SqlValue, StoreError};
use super::{SourceFormat, SourceSpec};

/// Options of DuckDB's readers that are handed through, and for which formats.
const READER: &[(&str, &[SourceFormat])] = {
    use SourceFormat::{Csv, Json, Parquet};
    &[
        ("all_varchar", &[Csv]),
        ("allow_quoted_nulls", &[Csv]),
        ("binary_as_string", &[Parquet]),
        ("comment", &[Csv]),
        ("compression", &[Csv, Json]),
        ("convert_strings_to_integers", &[Json]),
        ("dateformat", &[Csv, Json]),
        ("decimal_separator", &[Csv]),
        ("escape", &[Csv]),
        ("filename", &[Csv, Json, Parquet]),
        ("file_row_number", &[Parquet]),
        ("hive_partitioning", &[Csv, Json, Parquet]),
        ("max_line_size", &[Csv]),
        ("maximum_depth", &[Json]),
        ("maximum_object_size", &[Json]),
        ("normalize_names", &[Csv]),
        ("null_padding", &[Csv]),
        ("nullstr", &[Csv]),
        ("parallel", &[Csv]),
        ("quote", &[Csv]),
        ("records", &[Json]),
        ("sample_size", &[Csv, Json]),
        ("skip", &[Csv]),
        ("strict_mode", &[Csv]),
        ("timestampformat", &[Csv, Json]),
        ("union_by_name", &[Csv, Json, Parquet]),
    ]
};

/// Names that this program gives a meaning of its own.
const OWN: &[&str] = &["delimiter", "encoding", "header", "ignore_errors", "table", "types"];

impl SourceSpec {
    /// Sets one option by name: `delimiter` (`delim`, `sep`), `encoding`, `header`, `ignore_errors`, `table`,
    /// `types` (`"item_id: VARCHAR, price: DOUBLE"`), `types.COLUMN`, or one of DuckDB's reader options.
    pub fn option(mut self, name: &str, value: &SqlValue) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "delimiter" | "delim" | "sep" => self.delimiter = Some(text(name, value)?),
            "encoding" => self.encoding = Some(text(name, value)?),
            "header" => self.header = Some(switch(name, value)?),
            "ignore_errors" => self.ignore_errors = switch(name, value)?,
            "table" => self.table = Some(text(name, value)?),
            "types" | "columns" => self.types = types(&text(name, value)?)?,
            other if other.starts_with("types.") => {
                let column = name.get("types.".len()..).unwrap_or_default();
                self.types.push((column.to_owned(), text(name, value)?));
            }
            other if READER.iter().any(|(known, _)| *known == other) => {
                self.more.push((other.to_owned(), value.clone()));
            }
            _ => return Err(unknown(name)),
        }
        Ok(self)
    }

    /// The further options as arguments of the reader; one that it does not know is an error.
    pub(super) fn reader_options(&self, format: SourceFormat) -> Result<Vec<String>> {
        let argument = |(name, value): &(String, SqlValue)| {
            let fits = READER.iter().any(|(known, formats)| known == name && formats.contains(&format));
            match fits {
                true => Ok(format!("{name} = {}", value.literal())),
                false => Err(StoreError::new(
                    ErrorKind::Usage,
                    format!("the option {name} does not apply to {} files", format.name()),
                )),
            }
        };
        self.more.iter().map(argument).collect()
    }
}

fn text(name: &str, value: &SqlValue) -> Result<String> {
    match value {
        SqlValue::Text(s) => Ok(s.clone()),
        _ => Err(StoreError::new(ErrorKind::Usage, format!("the option {name} takes a text"))),
    }
}

fn switch(name: &str, value: &SqlValue) -> Result<bool> {
    match value {
        SqlValue::Bool(b) => Ok(*b),
        _ => Err(StoreError::new(ErrorKind::Usage, format!("the option {name} is true or false"))),
    }
}

/// `a: VARCHAR, b: DECIMAL(18,3)`; the type is checked by DuckDB.
fn types(list: &str) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in list.split(',') {
        match (piece.split_once(':'), pairs.last_mut()) {
            (Some((name, kind)), _) => pairs.push((name.trim().to_owned(), kind.trim().to_owned())),
            // A comma inside of DECIMAL(18,3).
            (None, Some((_, kind))) if kind.contains('(') && !kind.contains(')') => {
                kind.push(',');
                kind.push_str(piece.trim());
            }
            _ => {
                return Err(StoreError::new(
                    ErrorKind::Usage,
                    format!("types: {piece:?} is not `column: TYPE`"),
                )
                .hint("types: \"item_id: VARCHAR, price: DOUBLE\""));
            }
        }
    }
    Ok(pairs)
}

fn unknown(name: &str) -> StoreError {
    let known: Vec<&str> = OWN.iter().copied().chain(READER.iter().map(|(n, _)| *n)).collect();
    StoreError::new(ErrorKind::Usage, format!("a source has no option {name}"))
        .hint(format!("options: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_checked_and_quoted() {
        let spec = SourceSpec::path("x.csv")
            .option("delim", &SqlValue::from(";"))
            .and_then(|s| s.option("types", &SqlValue::from("a: VARCHAR, b: DECIMAL(18, 3)")))
            .and_then(|s| s.option("nullstr", &SqlValue::from("n'a")))
            .unwrap();
        assert_eq!(spec.delimiter.as_deref(), Some(";"));
        assert_eq!(spec.types[1], ("b".into(), "DECIMAL(18,3)".into()));
        assert_eq!(spec.reader_options(SourceFormat::Csv).unwrap(), ["nullstr = 'n''a'"]);
        assert!(spec.reader_options(SourceFormat::Parquet).unwrap_err().message.contains("parquet"));
        let error = spec.clone().option("delimeter", &SqlValue::from(";")).unwrap_err();
        assert!(error.hint.unwrap().contains("delimiter"));
        assert!(spec.option("header", &SqlValue::Int(1)).is_err());
    }
}

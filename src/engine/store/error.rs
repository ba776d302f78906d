//! What DuckDB says, cleaned: kind, message, place inside the cell's text, hint, and whether the
//! instance is still to be trusted.

use std::fmt;

use super::source::with_own_names;
use crate::util::redact;

/// What sort of failure, coarse enough to choose an exit code and a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not SQL.
    Parser,
    /// A column, function or type does not fit.
    Binder,
    /// A table, function or setting does not exist.
    Catalog,
    /// Values do not convert, overflow, or violate something.
    Data,
    /// A file cannot be opened or read, or is damaged.
    Io,
    /// The memory limit was reached and spilling did not help.
    OutOfMemory,
    /// The spill folder or disk is full, or may not be written.
    Disk,
    /// An extension is needed that this machine does not have.
    Extension,
    /// More than one statement, or one that is not a query; an option that does not exist.
    Usage,
    /// Stopped by `Cancel`.
    Cancelled,
    /// DuckDB found itself at fault.
    Internal,
    /// This program is at fault.
    Bug,
}

/// An error as the user may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    pub kind: ErrorKind,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Inside the text that was given, counted from 1.
    pub line: Option<u32>,
    /// In characters, counted from 1.
    pub column: Option<u32>,
    /// Byte offset into the statement as DuckDB saw it; turned into line and column by whoever
    /// knows the original text.
    pub(crate) position: Option<usize>,
    poisoned: bool,
}

impl StoreError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let poisoned = kind == ErrorKind::Internal;
        Self { kind, message: message.into(), hint: None, line: None, column: None, position: None, poisoned }
    }

    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// After this error every further statement may fail or lie: restart the engine.
    pub fn poisoned(&self) -> bool {
        self.poisoned
    }

    pub fn is_cancelled(&self) -> bool {
        self.kind == ErrorKind::Cancelled
    }

    /// Takes the place away: it points into text that the user did not write.
    pub(crate) fn unplaced(mut self) -> Self {
        (self.line, self.column, self.position) = (None, None, None);
        self
    }

    /// Places the error: byte offset `at` of `text`, clamped to it.
    pub(crate) fn located(mut self, text: &str, at: usize) -> Self {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        self.line = Some(1 + before.matches('\n').count() as u32);
        self.column = Some(1 + before[line_start..].chars().count() as u32);
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}

impl From<duckdb::Error> for StoreError {
    fn from(error: duckdb::Error) -> Self {
        match error {
            duckdb::Error::DuckDBFailure(_, Some(message)) => from_message(&message),
            duckdb::Error::NulError(_) => Self::new(ErrorKind::Usage, "the text holds a NUL character"),
            other => Self::new(ErrorKind::Data, other.to_string()),
        }
    }
}

impl From<crate::util::cancel::Cancelled> for StoreError {
    fn from(_: crate::util::cancel::Cancelled) -> Self {
        Self::cancelled()
    }
}

/// Reads DuckDB's message; with `errors_as_json` on it is `Binder Error: {...}`, elsewhere plain text.
fn from_message(message: &str) -> StoreError {
    let json = message.find("{\"exception_type\"").and_then(|at| message.get(at..)).unwrap_or_default();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(json.trim()) {
        let text = |key: &str| json.get(key).and_then(|v| v.as_str());
        if let (Some(kind), Some(said)) = (text("exception_type"), text("exception_message")) {
            let mut error = classify(kind, said);
            error.position = text("position").and_then(|p| p.parse().ok());
            return error;
        }
    }
    let (prefix, rest) = message.split_once("Error: ").unwrap_or(("", message));
    classify(prefix.trim(), rest)
}

/// Kind, cleaned message and hint from DuckDB's exception type and text.
fn classify(exception: &str, said: &str) -> StoreError {
    if exception == "Permission"
        && let Some(refused) = refused(said)
    {
        return refused;
    }
    let message = clean(said);
    let kind = match exception {
        "Parser" | "Syntax" => ErrorKind::Parser,
        "Binder" => ErrorKind::Binder,
        "Catalog" => ErrorKind::Catalog,
        "Interrupt" | "INTERRUPT" => return StoreError::cancelled(),
        "INTERNAL" | "Internal" | "FATAL" | "Fatal" => ErrorKind::Internal,
        "Out of Memory" => ErrorKind::OutOfMemory,
        "IO" | "HTTP" => ErrorKind::Io,
        "Permission" => ErrorKind::Io,
        "Missing Extension" | "Extension Autoloading" => ErrorKind::Extension,
        _ => ErrorKind::Data,
    };
    let mut error = StoreError::new(refine(kind, said), message);
    error.hint = hint_for(error.kind, said);
    error.poisoned |= said.contains("database has been invalidated");
    error
}

/// What an instance that is held to named files (`confine`) says of another one.
fn refused(said: &str) -> Option<StoreError> {
    let path = said.split_once("file system operations are disabled").and(said.split('"').nth(1))?;
    // A name may hold line breaks, and a log has one finding a line.
    let path = redact::urls(path).replace(['\n', '\r'], " ");
    let message = format!(
        "{path} is not read: the notebook runs within limits, and this lies neither in its folder nor under its `sources:`"
    );
    Some(StoreError::new(ErrorKind::Io, message).hint(
        "if it is yours, `recscope trust add FOLDER` trusts its folder (`:trust` on screen); headless, `--allow PATH` grants this alone",
    ))
}

/// Corrects the kind where DuckDB uses one exception for several things.
fn refine(kind: ErrorKind, said: &str) -> ErrorKind {
    let lower = said.to_ascii_lowercase();
    let full =
        ["no space left", "disk quota", "file too large", "max_temp_directory_size", "temporary directory"];
    if matches!(kind, ErrorKind::OutOfMemory | ErrorKind::Io) && full.iter().any(|w| lower.contains(w)) {
        return ErrorKind::Disk;
    }
    if lower.contains("install httpfs") || lower.contains("requires the extension") {
        return ErrorKind::Extension;
    }
    kind
}

/// One remedy per kind, in the words of this program rather than DuckDB's settings.
fn hint_for(kind: ErrorKind, said: &str) -> Option<String> {
    let lower = said.to_ascii_lowercase();
    if let (ErrorKind::Data, Some(column)) = (kind, misfitting_column(said)) {
        return Some(format!(
            "keep the column as text in the source's options (`types: \"{column}: VARCHAR\"`), or repair the line; \
             `ignore_errors: true` leaves such rows out and says how many"
        ));
    }
    let hint = match kind {
        ErrorKind::OutOfMemory => "read fewer rows or columns, or raise the engine's memory limit",
        ErrorKind::Disk if lower.contains("file too large") => {
            "the limit of file sizes was reached: raise it (`ulimit -f unlimited`)"
        }
        ErrorKind::Disk => "free disk space, move the spill folder, or raise its size limit",
        ErrorKind::Extension => {
            "this machine has no such DuckDB extension; install it once while online \
             (`duckdb -c \"INSTALL httpfs\"`) or copy the file here and open the copy"
        }
        ErrorKind::Internal => "the engine is restarted; finished results are kept. Check the input file",
        ErrorKind::Io if lower.contains("could not set lock") => {
            "another program has this DuckDB file open for writing; close it or open a copy"
        }
        ErrorKind::Data if said.contains("CSV Error") && lower.contains("utf-8") => {
            "say what the file is written in among the source's options (`encoding: gb18030`), or convert it \
             (iconv -f GB18030 -t UTF-8)"
        }
        ErrorKind::Data if said.contains("CSV Error") => {
            "repair the line, or set `ignore_errors: true` in the source's options: it leaves such rows out and \
             says how many"
        }
        ErrorKind::Data if said.contains("JSON transform error") || said.contains("Malformed JSON") => {
            "repair the line, give the column a type in the source's options (`types: \"a: VARCHAR\"`), \
             or set `ignore_errors: true`"
        }
        ErrorKind::Data if said.contains("Failed to read file") => {
            "the file is damaged: copy or write it again"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The column of a CSV file in which a value is not of the type that the first rows showed.
fn misfitting_column(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("Error when converting column \"")?;
    rest.split_once('"').map(|(column, _)| column)
}

/// Drops stack traces, the echoed statement and caret, settings, and blank lines; a CSV error names
/// its file first.
fn clean(said: &str) -> String {
    // What follows is the stack, the echoed statement, or advice about settings that are not ours.
    const TAIL: &[&str] = &[
        "Stack Trace",
        "LINE ",
        "Possible ",
        "Try increasing",
        "The search space",
        "This limit was set",
        "This error signals",
        "For more info",
    ];
    let told = said.lines().map(str::trim_end);
    let kept =
        told.take_while(|line| !TAIL.iter().any(|t| line.starts_with(t))).filter(|line| !line.is_empty());
    let message = with_own_names(&redact::urls(&kept.collect::<Vec<_>>().join("\n")));
    match said.lines().find_map(|line| line.trim().strip_prefix("file = ")) {
        Some(file) if !message.contains(file) => format!("{file}: {message}"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_places_and_poison() {
        let e = from_message(
            r#"Binder Error: {"exception_type":"Binder","exception_message":"no\n\nLINE 1: x","position":"12"}"#,
        );
        assert_eq!((e.kind, e.message.as_str(), e.position), (ErrorKind::Binder, "no", Some(12)));
        let plain = from_message("INTERNAL Error: Attempted to access index 3\n\nStack Trace:\n/lib/x(+0x1)");
        assert!(plain.poisoned() && plain.kind == ErrorKind::Internal);
        assert_eq!(plain.message, "Attempted to access index 3");
        let json = r#"FATAL Error: {"exception_type":"FATAL","exception_message":"Failed: database has been invalidated because of a previous fatal error."}"#;
        assert!(from_message(json).poisoned());
        let wrapped = "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query result\nError: \
                       {\"exception_type\":\"Invalid Input\",\"exception_message\":\"CSV Error on Line: 3\\nPossible fixes:\\n* x\\n\\n  file = a.csv\"}";
        let csv = from_message(wrapped);
        assert_eq!((csv.kind, csv.message.as_str()), (ErrorKind::Data, "a.csv: CSV Error on Line: 3"));
        assert!(csv.hint.is_some() && !csv.poisoned());
        assert!(from_message("INTERRUPT Error: Interrupted!").is_cancelled());
        let full = from_message("IO Error: Could not write file: No space left on device");
        assert_eq!(full.kind, ErrorKind::Disk);
        let limit = from_message("IO Error: Could not write file \"a\": File too large");
        assert!(limit.kind == ErrorKind::Disk && limit.hint.unwrap().contains("ulimit -f"));
        assert_eq!(from_message("no colon at all").kind, ErrorKind::Data);
    }

    #[test]
    fn places_count_characters_and_stay_inside() {
        let at = |i| {
            let e = StoreError::new(ErrorKind::Binder, "x").located("跑鞋 a\nb", i);
            (e.line, e.column)
        };
        assert_eq!(at(0), (Some(1), Some(1)));
        assert_eq!(at(7), (Some(1), Some(4)));
        assert_eq!(at(1), (Some(1), Some(1)), "inside a character");
        assert_eq!(at(9), (Some(2), Some(1)));
        assert_eq!(at(999), (Some(2), Some(2)));
    }
}

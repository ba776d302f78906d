//! Why rows could not be scored, as a sentence with what to do next, and the exit code that says so.

use crate::engine::model::{ModelError, ModelErrorKind};
use crate::util::nearest::nearest;
use crate::util::sanitise;

/// Longest name that is compared or listed, in bytes: a key of JSON may be of any length.
const NAME_BYTES: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    Usage,
    Data,
    Model,
    Resource,
    Cancelled,
    Bug,
}

/// A failure on its way to stderr.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Usage, message)
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Data, message)
    }

    pub fn resource(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Resource, message)
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Bug, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 2 usage, 3 data, model or machine, 70 bug, 130 cancelled.
    pub fn exit(&self) -> u8 {
        match self.kind {
            FaultKind::Usage => 2,
            FaultKind::Data | FaultKind::Model | FaultKind::Resource => 3,
            FaultKind::Bug => 70,
            FaultKind::Cancelled => 130,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}", sanitise::lines(&self.message))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", sanitise::lines(hint)),
            None => Ok(()),
        }
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Self {
        let kind = match error.kind {
            ModelErrorKind::Usage => FaultKind::Usage,
            ModelErrorKind::Cancelled => FaultKind::Cancelled,
            ModelErrorKind::Resource
            | ModelErrorKind::Device
            | ModelErrorKind::DeviceMemory
            | ModelErrorKind::DeviceLost => FaultKind::Resource,
            ModelErrorKind::Internal => FaultKind::Bug,
            _ => FaultKind::Model,
        };
        Self { hint: error.hint, ..Self::new(kind, error.message) }
    }
}

/// A wanted column among those there are, in any case of letters, as the input spells it.
pub fn find_column<'n>(wanted: &str, names: &[&'n str]) -> Result<&'n str, Fault> {
    let lower = wanted.to_lowercase();
    let exact = names.iter().find(|name| **name == wanted);
    match exact.or_else(|| names.iter().find(|name| name.to_lowercase() == lower)) {
        Some(name) => Ok(name),
        None => {
            let fault = Fault::data(format!("the input has no column `{wanted}`"));
            Err(match suggestion(wanted, names) {
                Some(hint) => fault.hint(hint),
                None => fault,
            })
        }
    }
}

/// "Did you mean", or what there is; `None` where there is nothing to say.
pub(super) fn suggestion(wanted: &str, names: &[&str]) -> Option<String> {
    let names: Vec<&str> = names.iter().copied().filter(|name| name.len() <= NAME_BYTES).collect();
    match nearest(wanted, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are: {}", sanitise::excerpt(&names.join(", "), 400))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_in_any_case_or_suggested() {
        let names = ["Query", "title", "TITLE"];
        assert_eq!(find_column("query", &names).unwrap(), "Query");
        assert_eq!(find_column("TITLE", &names).unwrap(), "TITLE");
        let fault = find_column("titel", &names).unwrap_err();
        assert_eq!(fault.exit(), 3);
        assert_eq!(
            fault.to_string(),
            "error: the input has no column `titel`\n  hint: did you mean `title`?"
        );
        assert!(find_column("zzz", &names).unwrap_err().hint.unwrap().starts_with("there are: Query"));
    }

    #[test]
    fn a_message_never_steers_a_terminal() {
        assert!(!Fault::data("a\u{1b}[31m").hint("\u{9b}").to_string().contains(['\u{1b}', '\u{9b}']));
    }
}

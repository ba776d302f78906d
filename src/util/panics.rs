//! What a panic leaves on stderr, which may be the log of a CI job or the file beside an engine's socket:
//! where it happened, and what the program says by itself. A message that was put together may quote data
//! ("byte index 5 is inside of ..."), so only a terminal, which is the user's own, sees it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;

use super::sanitise;

/// Messages of the standard library that are put together of numbers alone.
const NUMBERS: [&str; 5] = [
    "index out of bounds: ",
    "range start index ",
    "range end index ",
    "slice index starts at ",
    "attempt to ",
];
const MESSAGE_CHARS: usize = 2000;

/// From now on panics of this process are told so.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let mut err = io::stderr().lock();
        let open = err.is_terminal();
        // Nothing can be done where nobody listens.
        let _ = writeln!(err, "{}", told(info, open));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(err, "{trace}");
        }
    }));
}

/// A panic in one line; `open`: with whatever it says.
pub fn told(info: &PanicHookInfo<'_>, open: bool) -> String {
    let fixed = info.payload().downcast_ref::<&'static str>().copied();
    let made = info.payload().downcast_ref::<String>().map(String::as_str);
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    let thread = std::thread::current();
    let said = said(fixed, made, open);
    format!("thread '{}' panicked{place}: {said}", thread.name().unwrap_or("without a name"))
}

fn said(fixed: Option<&'static str>, made: Option<&str>, open: bool) -> String {
    let all = |text: &str| sanitise::excerpt(text, MESSAGE_CHARS);
    match (fixed, made) {
        (Some(fixed), _) => all(fixed),
        (None, Some(made)) if open || NUMBERS.iter().any(|start| made.starts_with(start)) => all(made),
        (None, Some(_)) => "its message may quote data and is left out here".into(),
        (None, None) => "no message".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_may_quote_data_is_for_terminals_alone() {
        let made = "byte index 4 is not a char boundary; it is inside '鞋' of `跑鞋\u{9b}CANARY`";
        assert!(!said(None, Some(made), false).contains("CANARY"));
        assert!(said(None, Some(made), true).contains("CANARY"));
        assert!(!said(None, Some(made), true).contains('\u{9b}'));
        assert_eq!(said(Some("no lane"), None, false), "no lane");
        let numbers = "index out of bounds: the len is 3 but the index is 7";
        assert_eq!(said(None, Some(numbers), false), numbers);
        assert_eq!(said(None, None, false), "no message");
    }
}

//! Copying text out of the screen.

use super::Runtime;
use crate::screen::app::Msg;
use crate::screen::hands::Task;
use crate::screen::ui::terminal::Terminal;

impl Runtime {
    /// Inside tmux by tmux; else by OSC 52, which cannot be confirmed, where the terminal may take it;
    /// else into a file.
    pub(super) fn copy(&mut self, text: String, terminal: &mut Terminal) {
        const MOST_OSC52_BYTES: usize = 74_000;
        let dumb = std::env::var("TERM").is_ok_and(|t| t == "linux" || t == "dumb");
        if std::env::var_os("TMUX").is_some() || dumb || text.len() > MOST_OSC52_BYTES {
            return self.hands.give(Task::Copy(text));
        }
        let said = match terminal.offer_clipboard(&text) {
            Ok(()) => Ok("offered to the terminal's clipboard (OSC 52; it does not confirm)".to_owned()),
            Err(error) => Err(format!("not copied: {error}")),
        };
        self.update(Msg::Copied(said), terminal);
    }
}

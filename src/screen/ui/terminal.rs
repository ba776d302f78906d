//! The terminal itself: entering and leaving, painting what changed in one write, keys in. The
//! terminal is always left sane, whoever ends the program.

mod crash;
mod input;
pub mod keys;
mod paint;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event;
use ratatui::crossterm::{cursor, execute, queue, style, terminal};
use ratatui::layout::{Position, Rect};

pub use input::{Input, read_keys};

/// One frame at 200x50 fits, so that it reaches the terminal in one write.
const WRITE_BYTES: usize = 64 * 1024;

/// Whether there is anything to undo for [`restore`].
static ENTERED: AtomicBool = AtomicBool::new(false);

pub struct Terminal {
    backend: CrosstermBackend<BufWriter<File>>,
    /// What the terminal shows.
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
}

impl Terminal {
    /// Takes over the terminal of standard input and output.
    ///
    /// # Errors
    /// One of them is no terminal, or the terminal refuses raw mode.
    pub fn open() -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other(
                "the screen needs a terminal; `recscope run NOTEBOOK.md` works without one",
            ));
        }
        // NO_COLOR is the theme's affair: crossterm's own way emits a bare reset that drops bold too.
        style::force_color_output(true);
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let backend = CrosstermBackend::new(BufWriter::with_capacity(WRITE_BYTES, out));
        let mut terminal = Self { backend, shown: Buffer::default(), next: Buffer::default(), cursor: None };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Raw mode, the alternate screen, bracketed paste; everything will be drawn again.
    pub fn enter(&mut self) -> io::Result<()> {
        crash::arm();
        if ENTERED.load(Ordering::SeqCst) {
            // Stopped and continued behind our back: crossterm believes that raw mode still holds.
            terminal::disable_raw_mode()?;
        }
        terminal::enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        execute!(self.backend, terminal::EnterAlternateScreen, event::EnableBracketedPaste, cursor::Hide,)?;
        self.forget()
    }

    /// Gives the terminal back as it was.
    pub fn leave(&mut self) {
        let _ = Write::flush(&mut self.backend);
        restore();
    }

    /// The terminal may show anything now: draw all of it next time.
    pub fn forget(&mut self) -> io::Result<()> {
        let (width, height) = size()?;
        let area = Rect::new(0, 0, width, height);
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.cursor = None;
        queue!(self.backend, style::ResetColor)?;
        self.backend.clear_region(ClearType::All)
    }

    /// Draws a frame: only cells that differ are written, all in one synchronised update.
    pub fn draw(&mut self, view: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        let (width, height) = size()?;
        if (self.shown.area.width, self.shown.area.height) != (width, height) {
            self.forget()?;
        }
        self.next.reset();
        let cursor = view(&mut self.next);
        let changes = paint::difference(&self.shown, &self.next);
        if changes.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        queue!(self.backend, terminal::BeginSynchronizedUpdate)?;
        if self.cursor.is_some() {
            queue!(self.backend, cursor::Hide)?;
        }
        self.backend.write_all(changes.as_bytes())?;
        if let Some(at) = cursor {
            queue!(self.backend, cursor::MoveTo(at.x, at.y), cursor::Show)?;
        }
        queue!(self.backend, terminal::EndSynchronizedUpdate)?;
        Write::flush(&mut self.backend)?;
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Sends text for the clipboard to the terminal (OSC 52). No answer says whether it took it.
    pub fn offer_clipboard(&mut self, text: &str) -> io::Result<()> {
        write!(self.backend, "\x1b]52;c;{}\x07", base64(text.as_bytes()))?;
        Write::flush(&mut self.backend)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What a terminal says of itself is not believed beyond this: every cell is held in memory twice.
const LARGEST: (u16, u16) = (2000, 1000);

/// Columns and rows now.
pub fn size() -> io::Result<(u16, u16)> {
    terminal::size().map(|(columns, rows)| (columns.min(LARGEST.0), rows.min(LARGEST.1)))
}

/// Gives the terminal back, from wherever; once is enough, more does no harm.
pub fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            terminal::EndSynchronizedUpdate,
            event::DisableBracketedPaste,
            style::ResetColor,
            cursor::Show,
            terminal::LeaveAlternateScreen,
        );
        let _ = terminal::disable_raw_mode();
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(letter(bits >> 18));
        out.push(letter(bits >> 12));
        out.push(if chunk.len() > 1 { letter(bits >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { letter(bits) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_standard_examples() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("跑鞋", "6LeR6Z6L")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}

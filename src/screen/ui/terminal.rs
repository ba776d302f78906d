//! The terminal itself: entering and leaving, painting what changed in one write, keys in. The
//! terminal is always left sane, whoever ends the program.

mod paint;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::{cursor, execute, queue, style, terminal};
use ratatui::layout::{Position, Rect};

use crate::screen::app::{Code, Key, Msg};

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

/// Columns and rows now.
pub fn size() -> io::Result<(u16, u16)> {
    terminal::size()
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

/// What arrived when reading keys.
#[derive(Debug)]
pub enum Input {
    Msg(Msg),
    /// The terminal is gone.
    Dead,
}

/// Waits for keys and gives each to `take`, which says whether to go on. Watches for a dead terminal
/// itself: crossterm would spin on it (crossterm#793).
pub fn read_keys(mut take: impl FnMut(Input) -> bool) {
    loop {
        if !wait_for_input() {
            take(Input::Dead);
            return;
        }
        loop {
            match event::poll(std::time::Duration::ZERO) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => break,
                Err(_) => {
                    take(Input::Dead);
                    return;
                }
            }
            let Ok(event) = event::read() else {
                take(Input::Dead);
                return;
            };
            if let Some(msg) = message(event)
                && !take(Input::Msg(msg))
            {
                return;
            }
        }
    }
}

/// `false` when the terminal has hung up.
fn wait_for_input() -> bool {
    let mut stdin = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid pollfd, and its count.
    let ready = unsafe { libc::poll(&raw mut stdin, 1, -1) };
    if ready < 0 {
        return io::Error::last_os_error().kind() == io::ErrorKind::Interrupted;
    }
    stdin.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) == 0
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
            let alt = key.modifiers.contains(KeyModifiers::ALT);
            let shift = key.modifiers.contains(KeyModifiers::SHIFT);
            let code = code(key.code)?;
            // Shift is part of a character; some terminals send Ctrl with a capital.
            let (code, shift) = match code {
                Code::Char(c) if ctrl => (Code::Char(c.to_ascii_lowercase()), false),
                Code::Char(_) | Code::BackTab => (code, false),
                _ => (code, shift),
            };
            Some(Msg::Key(Key { code, ctrl, alt, shift }))
        }
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize { width, height }),
        Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn code(code: KeyCode) -> Option<Code> {
    Some(match code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::F(n) => Code::F(n),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        _ => return None,
    })
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
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn keys_arrive_as_the_app_writes_them() {
        let key = |code, modifiers| match message(Event::Key(KeyEvent::new(code, modifiers))) {
            Some(Msg::Key(key)) => Some(key),
            _ => None,
        };
        assert_eq!(key(KeyCode::Char('r'), KeyModifiers::CONTROL), Key::parse("ctrl-r"));
        assert_eq!(key(KeyCode::Char('R'), KeyModifiers::SHIFT), Key::parse("R"));
        assert_eq!(key(KeyCode::Enter, KeyModifiers::ALT), Key::parse("alt-enter"));
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), Key::parse("backtab"));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }

    #[test]
    fn base64_matches_the_standard_examples() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("跑鞋", "6LeR6Z6L")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}

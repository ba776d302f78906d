//! A program in a pseudo-terminal with a terminal emulator behind it: what the tests of the screen see
//! it through. Waits are bounded but long: they end when the condition holds.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const PATIENCE: Duration = Duration::from_secs(60);

struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Mutex<Shown>>,
    hung_up: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows: rows.max(1), cols: columns.max(1), pixel_width: 0, pixel_height: 0 }
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

impl Pty {
    /// Starts `program` at this size; the environment is the test's own, with a known terminal.
    pub fn start(
        program: &Path,
        args: &[&str],
        folder: &Path,
        env: &[(&str, &str)],
        (columns, rows): (u16, u16),
    ) -> Pty {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        for name in ["TMUX", "NO_COLOR", "COLORTERM"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown = Arc::new(Mutex::new(Shown {
            parser: vt100::Parser::new(nonzero(rows), nonzero(columns), 0),
            bytes: Vec::new(),
        }));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let sink = Arc::clone(&shown);
        let hung_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&hung_up);
        let fd = pair.master.as_raw_fd().unwrap();
        let reading = std::thread::spawn(move || {
            let mut chunk = [0; 65_536];
            while !stop.load(Ordering::SeqCst) {
                if !readable(fd) {
                    continue;
                }
                let n = reader.read(&mut chunk).unwrap_or(0);
                if n == 0 {
                    break;
                }
                let mut shown = sink.lock().unwrap();
                shown.bytes.extend_from_slice(&chunk[..n]);
                shown.parser.process(&chunk[..n]);
            }
        });
        let writer = pair.master.take_writer().ok();
        Pty { master: Some(pair.master), writer, child, shown, hung_up, reading: Some(reading) }
    }

    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Bytes that need be no text; what the program does not take in time is dropped with it.
    pub fn bytes_in(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let mut shown = self.shown.lock().unwrap();
        shown.parser.set_size(nonzero(rows), nonzero(columns));
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    /// Claims a size that the emulator behind it does not have.
    pub fn tell_size(&self, columns: u16, rows: u16) {
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.shown.lock().unwrap().parser.screen().contents().to_string()
    }

    pub fn screen<T>(&self, look: impl Fn(&vt100::Screen) -> T) -> T {
        look(self.shown.lock().unwrap().parser.screen())
    }

    /// All that the program ever wrote.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown.lock().unwrap().bytes.clone()
    }

    /// Waits until the screen's text satisfies `what`; fails with the screen otherwise.
    pub fn wait(&self, why: &str, what: impl Fn(&str) -> bool) -> String {
        let text = self.wait_for(|| Some(self.text()).filter(|text| what(text)));
        text.unwrap_or_else(|| panic!("waited in vain for {why}; the screen:\n{}", self.text()))
    }

    fn wait_for<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(found) = look() {
                return Some(found);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Waits until nothing was written for `quiet`.
    pub fn settle(&self, quiet: Duration) {
        let mut last = (self.bytes().len(), Instant::now());
        self.wait_for(|| {
            let now = self.bytes().len();
            if now != last.0 {
                last = (now, Instant::now());
            }
            (last.1.elapsed() >= quiet).then_some(())
        });
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: a process id that we started and have not reaped.
        unsafe { libc::kill(self.pid() as i32, signal) };
    }

    /// The letter of the process's state (`T` is stopped), as the kernel has it.
    pub fn wait_state(&self, state: char) {
        let path = format!("/proc/{}/stat", self.child.process_id().unwrap());
        let found = self.wait_for(|| {
            let stat = std::fs::read_to_string(&path).ok()?;
            stat.rsplit_once(") ")?.1.starts_with(state).then_some(())
        });
        assert!(found.is_some(), "never in state {state}");
    }

    /// Hangs up, as a dropped line does.
    pub fn hang_up(&mut self) {
        // The reader holds the line as well.
        self.hung_up.store(true, Ordering::SeqCst);
        if let Some(reading) = self.reading.take() {
            reading.join().unwrap();
        }
        self.writer = None;
        self.master = None;
    }

    /// Waits for the end of the program; its exit code (a signal's is not told apart).
    pub fn wait_exit(&mut self) -> u32 {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last may still be on its way.
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("does not end; the screen:\n{}", self.text());
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The main screen, a visible cursor, no paste or mouse modes, and keys that echo again.
    pub fn assert_sane(&self) {
        self.screen(|screen| {
            assert!(!screen.alternate_screen(), "left in the alternate screen");
            assert!(!screen.hide_cursor(), "the cursor is hidden");
            assert!(!screen.bracketed_paste(), "bracketed paste is on");
        });
        if let Some(fd) = self.master.as_ref().and_then(|m| m.as_raw_fd()) {
            assert!(echoes(fd), "the terminal does not echo");
        }
    }
}

/// Waits a moment for something to read, or for the other end to go.
fn readable(fd: RawFd) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid pollfd, and its count.
    unsafe { libc::poll(&raw mut poll, 1, 50) > 0 }
}

fn echoes(fd: RawFd) -> bool {
    // SAFETY: an open descriptor and room for the answer.
    unsafe {
        let mut mode: libc::termios = std::mem::zeroed();
        libc::tcgetattr(fd, &raw mut mode) == 0 && mode.c_lflag & (libc::ECHO | libc::ICANON) != 0
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

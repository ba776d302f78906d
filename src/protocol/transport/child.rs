//! The engine as a child process behind a Unix socket. Starting it never blocks: requests wait in a
//! queue until the engine answers. When it dies, `events` closes and [`ChildProcess::why`] tells.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::folder::{left_over, socket_folder};
use super::frame::FrameReader;
use super::hello;
use super::wire::{decode, write_all};
use crate::protocol::{Engine, EngineGone, Event, Request};
use crate::util::leftover::LeftOver;
use crate::util::supervised::{self, Fall, guarded};

#[derive(Debug, Clone)]
pub struct ChildOptions {
    /// The program to start; it must understand `engine --socket PATH [--detached]`.
    pub exe: PathBuf,
    /// Arguments after those.
    pub args: Vec<OsString>,
    /// What the engine is to read at its start, from the file that `--options` names: more than a command
    /// line may hold, and nothing for the list of processes.
    pub hand_over: Option<String>,
    /// The engine's folder for temporary files; `None`: this process's.
    pub scratch: Option<PathBuf>,
    /// The engine outlives this process and can be attached to again.
    pub detached: bool,
    pub connect_within: Duration,
}

impl ChildOptions {
    /// This very program.
    pub fn this_program() -> io::Result<Self> {
        let mut exe = std::env::current_exe()?;
        if !exe.exists() {
            // Replaced by an upgrade while running; Linux still has the old one.
            exe = PathBuf::from("/proc/self/exe");
        }
        Ok(Self::program(exe))
    }

    pub fn program(exe: impl Into<PathBuf>) -> Self {
        let connect_within = Duration::from_secs(20);
        let exe = exe.into();
        Self { exe, args: Vec::new(), hand_over: None, scratch: None, detached: false, connect_within }
    }
}

pub struct ChildProcess {
    requests: Option<Sender<Request>>,
    events: Receiver<Event>,
    link: Arc<Link>,
    detached: bool,
}

/// What the threads that carry messages share with the handle.
#[derive(Default)]
struct Link {
    socket: PathBuf,
    child: Mutex<Option<Child>>,
    /// Process id of the engine once it is known; 0 before.
    pid: AtomicU32,
    why: Mutex<Option<String>>,
}

static STARTED: AtomicU32 = AtomicU32::new(0);

impl ChildProcess {
    /// Starts an engine. Errors are of starting the program; what happens later closes `events`.
    pub fn spawn(options: &ChildOptions) -> io::Result<Self> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = socket_folder()?;
        left_over(&folder).iter().for_each(LeftOver::sweep);
        let socket = folder.join(format!("{}-{number}.sock", std::process::id()));
        let log = File::create(socket.with_extension("log"))?;
        let mut command = Command::new(&options.exe);
        command.arg("engine").arg("--socket").arg(&socket).args(&options.args);
        if options.detached {
            command.arg("--detached");
        }
        if let Some(text) = &options.hand_over {
            let file = socket.with_extension("options");
            std::fs::write(&file, text)?;
            command.arg("--options").arg(file);
        }
        if let Some(scratch) = &options.scratch {
            command.env("TMPDIR", scratch);
        }
        // A group of its own: Ctrl-C and Ctrl-Z in the terminal are for the screen alone.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let child = command.spawn()?;
        let link = Link {
            socket,
            pid: AtomicU32::new(child.id()),
            child: Mutex::new(Some(child)),
            ..Link::default()
        };
        Self::run(link, options.detached, options.connect_within)
    }

    /// Finds a running engine again.
    pub fn attach(socket: &Path) -> io::Result<Self> {
        let link = Link { socket: socket.to_path_buf(), ..Link::default() };
        Self::run(link, true, Duration::from_secs(2))
    }

    fn run(link: Link, detached: bool, patience: Duration) -> io::Result<Self> {
        let (requests, queue) = unbounded();
        let (outbox, events) = unbounded();
        let link = Arc::new(link);
        let carried = Arc::clone(&link);
        let work = move || {
            let why = guarded(|| carry(&carried, patience, queue, &outbox));
            carried.end(why.unwrap_or_else(|fault| format!("the link to it failed: {fault}")));
            // `outbox` goes last: whoever sees the events close finds the reason in place.
        };
        supervised::once("engine-link", work, |fall| tracing::error!("{fall}"))?;
        Ok(Self { requests: Some(requests), events, link, detached })
    }

    /// Where another screen can attach.
    pub fn socket(&self) -> &Path {
        &self.link.socket
    }

    /// Process id of the engine; `None` while it is not known, as before an engine that was found again has
    /// answered.
    pub fn pid(&self) -> Option<u32> {
        Some(self.link.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// Why the engine is gone; `None` while it is not.
    pub fn why(&self) -> Option<String> {
        self.link.why.lock().clone()
    }
}

impl Engine for ChildProcess {
    fn send(&self, request: Request) -> Result<(), EngineGone> {
        let gone = || EngineGone(self.why().unwrap_or_else(|| "it was ended".into()));
        if self.link.why.lock().is_some() {
            return Err(gone());
        }
        self.requests.as_ref().ok_or_else(gone)?.send(request).map_err(|_| gone())
    }

    fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    fn kill(&mut self) {
        self.requests = None;
        self.link.kill();
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // A detached engine only loses its connection; another is asked to end, and ends anyway
        // when the socket closes.
        if let Some(requests) = self.requests.take()
            && !self.detached
        {
            let _ = requests.send(Request::Shutdown);
        }
    }
}

impl Link {
    fn kill(&self) {
        let mut child = self.child.lock();
        if let Some(child) = child.as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        } else if let Ok(pid @ 1..) = i32::try_from(self.pid.load(Ordering::Relaxed))
            && pid.unsigned_abs() != std::process::id()
        {
            // SAFETY: plain system call; the id came from the engine's own hello.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        drop(child);
        self.tidy();
    }

    fn tidy(&self) {
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(self.socket.with_extension("log"));
        let _ = std::fs::remove_file(self.socket.with_extension("options"));
    }

    /// Has the child ended? (Also keeps it from staying a zombie.)
    fn exited(&self) -> Option<String> {
        let status = self.child.lock().as_mut()?.try_wait().ok()??;
        Some(format!("its process ended ({status}){}", self.last_words()))
    }

    fn last_words(&self) -> String {
        let log = std::fs::read(self.socket.with_extension("log")).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(2000)..).unwrap_or_default();
        let tail = String::from_utf8_lossy(tail);
        if tail.trim().is_empty() { String::new() } else { format!(": {}", tail.trim()) }
    }

    fn end(&self, why: String) {
        // The socket may close a moment before the process is gone.
        let deadline = Instant::now() + Duration::from_millis(1500);
        let mut reason = why;
        while self.child.lock().is_some() && Instant::now() < deadline {
            if let Some(ended) = self.exited() {
                reason = ended;
                self.tidy();
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        *self.why.lock() = Some(reason);
    }
}

/// Connects, then carries messages until the engine goes away. Returns the reason.
fn carry(link: &Link, patience: Duration, queue: Receiver<Request>, events: &Sender<Event>) -> String {
    let stream = match connect(link, patience) {
        Ok(stream) => stream,
        Err(why) => return why,
    };
    match hello::exchange(&stream, &stream) {
        Ok(pid) => link.pid.store(pid, Ordering::Relaxed),
        Err(why) => return why,
    }
    let (output, closing) = match (stream.try_clone(), stream.try_clone()) {
        (Ok(output), Ok(closing)) => (output, closing),
        (Err(e), _) | (_, Err(e)) => return e.to_string(),
    };
    let write = move || {
        if let Err(e) = write_all(&queue, &output) {
            tracing::warn!("the engine cannot be written to: {e}");
        }
        let _ = output.shutdown(Shutdown::Write);
    };
    let fell = move |fall: Fall| {
        // What is asked would be lost from here on: the reader below ends, and the engine with it.
        tracing::error!("{fall}");
        let _ = closing.shutdown(Shutdown::Both);
    };
    if let Err(e) = supervised::once("engine-out", write, fell) {
        return e.to_string();
    }
    let mut reader = FrameReader::new(io::BufReader::new(&stream));
    let why = loop {
        match reader.read().map(|frame| frame.map(|bytes| decode::<Event>(&bytes))) {
            Ok(Some(Ok(event))) => {
                // Nobody listens any more: keep reading, so that the engine never blocks on us.
                let _ = events.send(event);
            }
            Ok(Some(Err(why))) => break why,
            Ok(None) => break "it closed the connection".to_owned(),
            Err(e) => break e.to_string(),
        }
    };
    let _ = stream.shutdown(Shutdown::Both);
    why
}

fn connect(link: &Link, patience: Duration) -> Result<UnixStream, String> {
    let deadline = Instant::now() + patience;
    loop {
        match UnixStream::connect(&link.socket) {
            Ok(stream) => return Ok(stream),
            Err(e) if Instant::now() > deadline => {
                return Err(format!("no engine answers at {}: {e}", link.socket.display()));
            }
            Err(_) => {}
        }
        if let Some(why) = link.exited() {
            return Err(why);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

//! The engine's end of the socket: waits for a screen, carries messages, and ends the engine when
//! the screen goes away, unless the engine was told to outlive it (then the next screen that
//! attaches is told where every cell stands).

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::frame::FrameReader;
use super::hello;
use super::wire::{decode, write_all};
use crate::protocol::{Event, Problem, ProblemKind, Request};
use crate::util::supervised::{self, Fall};

#[derive(Debug, Clone)]
pub struct ServeOptions {
    pub socket: PathBuf,
    /// Outlive a lost connection; only `Shutdown` or `linger` ends the engine.
    pub detached: bool,
    /// How long to wait for the first screen.
    pub first_within: Duration,
    /// How long a detached engine waits for the next screen.
    pub linger: Duration,
    /// How long the engine may take to wind up before the process ends without it.
    pub wind_up: Duration,
}

impl ServeOptions {
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            detached: false,
            first_within: Duration::from_secs(20),
            linger: Duration::from_secs(12 * 3600),
            wind_up: Duration::from_secs(3),
        }
    }
}

/// How one connection ended.
enum Ended {
    PeerLost,
    Shutdown,
}

/// Runs `engine` and carries its messages over the socket. Returns when the engine should be no
/// more; the caller then exits the process.
pub fn serve<F>(options: &ServeOptions, engine: F) -> io::Result<()>
where
    F: FnOnce(Receiver<Request>, Sender<Event>) + Send + 'static,
{
    let listener = listen(&options.socket)?;
    let (requests, inbox) = unbounded();
    let (outbox, events) = unbounded();
    let board = Arc::new(Mutex::new(Switchboard::default()));
    let (finished_tx, finished) = unbounded();
    let (forwarding, losing, over) = (Arc::clone(&board), Arc::clone(&board), finished_tx.clone());
    let forward = move || {
        for event in events {
            forwarding.lock().forward(event);
        }
        // The engine has ended. Its screen learns it now, not when it next asks for something.
        forwarding.lock().close();
    };
    let mute = move |fall: Fall| {
        // An engine whose events are lost is of no use: the screen starts another.
        tracing::error!("{fall}");
        let _ = over.send(());
        losing.lock().close();
    };
    supervised::once("events", forward, mute)?;
    let (ending, last_words) = (finished_tx.clone(), outbox.clone());
    let work = move || {
        engine(inbox, outbox);
        let _ = finished_tx.send(());
    };
    let fell = move |fall: Fall| {
        let problem = Problem::new(ProblemKind::Bug, fall.to_string());
        let _ = last_words.send(Event::Fault { problem });
        let _ = ending.send(());
    };
    supervised::once("engine", work, fell)?;

    let mut patience = options.first_within;
    while let Some(stream) = accept_within(&listener, patience, &finished)? {
        match converse(stream, &requests, &board) {
            Ok(Ended::PeerLost) if options.detached => patience = options.linger,
            Ok(_) => break,
            // Someone only knocked, or was of another version: wait on.
            Err(why) => tracing::warn!("connection refused: {why}"),
        }
    }
    let _ = std::fs::remove_file(&options.socket);
    drop(requests);
    let _ = finished.recv_timeout(options.wind_up);
    // Its screen may be gone before it could: what was never written to need not stay.
    let log = options.socket.with_extension("log");
    if std::fs::metadata(&log).is_ok_and(|meta| meta.len() == 0) {
        let _ = std::fs::remove_file(log);
    }
    Ok(())
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The next connection; `None` when nobody came in time or the engine has ended.
fn accept_within(
    listener: &UnixListener,
    patience: Duration,
    finished: &Receiver<()>,
) -> io::Result<Option<UnixStream>> {
    let began = Instant::now();
    let mut nap = Duration::from_millis(1);
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if began.elapsed() > patience || !finished.is_empty() {
            return Ok(None);
        }
        thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(200));
    }
}

/// Carries one screen's requests and events until it goes away or says goodbye.
fn converse(
    stream: UnixStream,
    requests: &Sender<Request>,
    board: &Arc<Mutex<Switchboard>>,
) -> Result<Ended, String> {
    let say = |e: io::Error| e.to_string();
    // A peer that connects and stays silent must not block the next one for ever.
    stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(say)?;
    hello::exchange(&stream, &stream)?;
    stream.set_read_timeout(None).map_err(say)?;
    let output = stream.try_clone().map_err(say)?;
    let (outgoing, queue) = unbounded();
    board.lock().connect(outgoing);
    let closing = stream.try_clone().map_err(say)?;
    let write = move || {
        if let Err(e) = write_all(&queue, &output) {
            tracing::warn!("the screen cannot be written to: {e}");
        }
        // Whoever waits for input on this socket learns that it is over.
        let _ = output.shutdown(Shutdown::Both);
    };
    let fell = move |fall: Fall| {
        tracing::error!("{fall}");
        let _ = closing.shutdown(Shutdown::Both);
    };
    let writer = supervised::once("socket-out", write, fell).map_err(say)?;
    let ended = read_requests(&stream, requests);
    board.lock().disconnect();
    if matches!(ended, Ended::PeerLost) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    let _ = writer.join();
    Ok(ended)
}

fn read_requests(stream: &UnixStream, requests: &Sender<Request>) -> Ended {
    let mut reader = FrameReader::new(io::BufReader::new(stream));
    loop {
        let request = match reader.read() {
            Ok(Some(bytes)) => decode::<Request>(&bytes),
            Ok(None) => return Ended::PeerLost,
            Err(e) => Err(e.to_string()),
        };
        match request {
            Ok(Request::Shutdown) => {
                let _ = requests.send(Request::Shutdown);
                return Ended::Shutdown;
            }
            Ok(request) => {
                if requests.send(request).is_err() {
                    return Ended::Shutdown;
                }
            }
            Err(why) => {
                tracing::error!("the screen's messages make no sense: {why}");
                return Ended::PeerLost;
            }
        }
    }
}

/// Sends events to the screen that is there, and remembers what the next one must be told.
#[derive(Default)]
struct Switchboard {
    screen: Option<Sender<Event>>,
    ready: Option<Event>,
    sources: BTreeMap<String, Event>,
    cells: BTreeMap<String, Event>,
    outdated: BTreeMap<String, Event>,
    /// Ends of jobs, and faults, that nobody heard.
    unheard: Vec<Event>,
    /// No event will come any more.
    closed: bool,
}

impl Switchboard {
    fn forward(&mut self, event: Event) {
        match &event {
            Event::Ready { .. } => self.ready = Some(event.clone()),
            Event::Source { name, .. } => {
                self.sources.insert(name.clone(), event.clone());
            }
            Event::Cell { cell, .. } => {
                self.outdated.remove(cell);
                self.cells.insert(cell.clone(), event.clone());
            }
            Event::Outdated { cell, .. } => {
                self.outdated.insert(cell.clone(), event.clone());
            }
            Event::JobEnded { .. } | Event::Fault { .. } if self.screen.is_none() => {
                self.unheard.push(event.clone());
            }
            _ => {}
        }
        if let Some(screen) = &self.screen {
            let _ = screen.send(event);
        }
    }

    fn connect(&mut self, screen: Sender<Event>) {
        let known = self.ready.iter().chain(self.sources.values()).chain(self.cells.values());
        let known = known.chain(self.outdated.values());
        for event in known.cloned().chain(self.unheard.drain(..)) {
            let _ = screen.send(event);
        }
        // Of an engine that has ended, what it said last is all there is.
        self.screen = Some(screen).filter(|_| !self.closed);
    }

    fn close(&mut self) {
        self.closed = true;
        self.disconnect();
    }

    fn disconnect(&mut self) {
        self.screen = None;
    }
}

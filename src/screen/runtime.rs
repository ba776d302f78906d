//! The loop that joins keys, engine and time to the app: waits, drains all that waits, updates, fulfils
//! wishes, draws once. The thread that draws does nothing that can block.

mod copy;
mod threads;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, never, select, unbounded};
use parking_lot::Mutex;

use super::Ending;
use super::app::{App, Effect, EngineState, Msg, begin, update};
use super::hands::{Hands, Task};
use super::place::Place;
use super::signals::{self, Signal};
use super::ui::terminal::{self, Terminal};
use super::ui::views::{Look, view};
use super::ui::widgets::code::Highlighter;
use crate::protocol::{Engine, Event, Request};
use crate::trust::Access;
use crate::util::supervised::{self, Fall};
use threads::told;

/// Starts an engine that may touch what it is given, or says why it cannot.
pub type StartEngine = Box<dyn FnMut(&Access) -> Result<Box<dyn Engine>, String> + Send>;

/// Messages taken in before drawing again.
const TURN: usize = 512;
/// Draws that only show progress are at least this far apart.
const CALM: Duration = Duration::from_millis(110);
/// For a disk that does not answer, when the process has to end.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What happens around the app.
enum Input {
    Msg(Msg),
    Signal(Signal),
    TerminalGone,
    EngineStarted(Result<Box<dyn Engine>, String>),
    Highlighter(Arc<Highlighter>),
    /// One of the threads around the loop fell.
    Fell(Fall),
    /// Something to be said that touches nothing else.
    Trouble(String),
}

pub struct Runtime {
    pub app: App,
    look: Look,
    models: Vec<PathBuf>,
    start_engine: Arc<Mutex<StartEngine>>,
    engine: Option<Box<dyn Engine>>,
    hands: Hands,
    place: Arc<Mutex<Place>>,
    inputs: Receiver<Input>,
    sender: Sender<Input>,
    began: Instant,
    drawn: Instant,
    ticked: Instant,
    /// Something other than progress is to be shown.
    urgent: bool,
    ending: Option<Ending>,
}

impl Runtime {
    pub fn new(
        app: App,
        look: Look,
        start_engine: StartEngine,
        models: Vec<PathBuf>,
        place: Place,
    ) -> std::io::Result<Self> {
        let (sender, inputs) = unbounded();
        let (answers, answered) = unbounded();
        let place = Arc::new(Mutex::new(place));
        let hands = Hands::start(Arc::clone(&place), answers, told(&sender))?;
        let forward = sender.clone();
        let work = move || {
            for msg in &answered {
                if forward.send(Input::Msg(msg)).is_err() {
                    break;
                }
            }
        };
        supervised::kept("answers", work, told(&sender))?;
        let now = Instant::now();
        Ok(Self {
            app,
            look,
            models,
            start_engine: Arc::new(Mutex::new(start_engine)),
            engine: None,
            hands,
            place,
            inputs,
            sender,
            began: now,
            drawn: now,
            ticked: now,
            urgent: true,
            ending: None,
        })
    }

    /// Runs until the user leaves or a signal ends it.
    pub fn run(&mut self, terminal: &mut Terminal) -> std::io::Result<Ending> {
        self.resize();
        self.draw(terminal)?;
        // Only now that something is to be seen: keys, signals, the engine, the grammars.
        self.listen()?;
        if self.app.engine != EngineState::Off {
            self.start_engine();
        }
        self.begin(terminal);
        loop {
            if let Some(ending) = self.turn(terminal) {
                return Ok(ending);
            }
        }
    }

    /// What the app wants to know from the start.
    fn begin(&mut self, terminal: &mut Terminal) {
        let mut effects = Vec::new();
        begin(&self.app, &mut effects);
        for effect in effects {
            self.fulfil(effect, terminal);
        }
    }

    /// Saves what can be saved and waits for it.
    pub fn finish(&mut self) {
        self.hands.finish();
        self.engine = None;
    }

    /// Keeps the text safe after a panic, with no help from other threads: the journal is the same.
    pub fn keep_safe(&self) {
        let text = self.app.live_text();
        if !self.app.is_dirty() || self.app.sessions.watching {
            return;
        }
        let kept = match self.place.try_lock_for(LONGEST_WAIT) {
            Some(mut place) => place.keep_last(text, self.app.on_disk.clone()),
            None => Err("the disk does not answer".into()),
        };
        if let Err(error) = kept {
            tracing::error!("unsaved work was not kept: {error}");
        }
    }

    /// Waits for something, takes in all that is there, draws at most once.
    fn turn(&mut self, terminal: &mut Terminal) -> Option<Ending> {
        self.wait(terminal);
        for _ in 0..TURN {
            if !self.take_one(terminal) {
                break;
            }
        }
        self.tick(terminal);
        if self.ending.is_some() {
            return self.ending;
        }
        if self.app.redraw
            && (self.urgent || self.drawn.elapsed() >= CALM)
            && let Err(error) = self.draw(terminal)
        {
            // A line that dropped may be met here before its signal is: what was typed must be kept.
            tracing::warn!("the terminal takes no more: {error}");
            self.terminate(Ending::Disconnected, terminal);
        }
        self.ending
    }

    /// Time passes for the app at its own pace, however many events come in between.
    fn tick(&mut self, terminal: &mut Terminal) {
        let every = self.app.wants_tick().map(Duration::from_millis);
        if every.is_some_and(|every| self.ticked.elapsed() >= every) {
            self.ticked = Instant::now();
            let now_ms = self.began.elapsed().as_millis() as u64;
            self.update(Msg::Tick { now_ms }, terminal);
        }
    }

    fn wait(&mut self, terminal: &mut Terminal) {
        let events = self.events();
        let timeout = self.patience();
        let timer = timeout.map_or_else(never, crossbeam_channel::after);
        select! {
            recv(self.inputs) -> input => if let Ok(input) = input { self.take(input, terminal) },
            recv(events) -> event => self.take_event(event.ok(), terminal),
            recv(timer) -> _ => {}
        }
    }

    /// Until the next tick, or until calm progress may be drawn; `None`: for ever.
    fn patience(&self) -> Option<Duration> {
        let since = self.ticked.elapsed();
        let tick = self.app.wants_tick().map(|ms| Duration::from_millis(ms).saturating_sub(since));
        let calm = self.app.redraw.then(|| CALM.saturating_sub(self.drawn.elapsed()));
        match (tick, calm) {
            (Some(tick), Some(calm)) => Some(tick.min(calm)),
            (tick, calm) => tick.or(calm),
        }
    }

    fn events(&self) -> Receiver<Event> {
        self.engine.as_ref().map_or_else(never, |engine| engine.events().clone())
    }

    /// Takes one thing that already waits; `false` when nothing does.
    fn take_one(&mut self, terminal: &mut Terminal) -> bool {
        if self.ending.is_some() {
            return false;
        }
        if let Ok(input) = self.inputs.try_recv() {
            self.take(input, terminal);
            return true;
        }
        match self.events().try_recv() {
            Ok(event) => {
                self.take_event(Some(event), terminal);
                true
            }
            Err(_) => false,
        }
    }

    fn take(&mut self, input: Input, terminal: &mut Terminal) {
        self.urgent = true;
        match input {
            Input::Msg(msg) => self.update(msg, terminal),
            Input::Signal(signal) => self.signal(signal, terminal),
            Input::TerminalGone => self.terminate(Ending::Disconnected, terminal),
            Input::Highlighter(highlighter) => {
                self.look.set_highlighter(highlighter);
                self.app.redraw = true;
            }
            Input::Fell(fall) => self.fell(fall, terminal),
            Input::Trouble(words) => self.update(Msg::Trouble(words), terminal),
            Input::EngineStarted(Ok(engine)) => {
                self.engine = Some(engine);
                self.update(Msg::EngineStarted, terminal);
            }
            Input::EngineStarted(Err(reason)) => self.update(Msg::EngineGone(reason), terminal),
        }
    }

    fn take_event(&mut self, event: Option<Event>, terminal: &mut Terminal) {
        match event {
            Some(event) => {
                self.urgent |= !is_calm(&event);
                self.update(Msg::Engine(event), terminal);
            }
            None => {
                // The engine tells why it is gone when asked for something.
                let why = self.engine.take().map(|engine| match engine.send(Request::Pulse) {
                    Err(gone) => gone.0,
                    Ok(()) => "its connection closed".to_owned(),
                });
                self.urgent = true;
                self.update(Msg::EngineGone(why.unwrap_or_default()), terminal);
            }
        }
    }

    fn signal(&mut self, signal: Signal, terminal: &mut Terminal) {
        match signal {
            Signal::End(number) => self.terminate(Ending::Signal(number), terminal),
            Signal::Resized => self.resize(),
            Signal::Stop => self.suspend(terminal),
            Signal::Continued => self.resume(terminal),
        }
    }

    /// A thread fell: said where it was begun again. One that is no more cannot be done without.
    fn fell(&mut self, fall: Fall, terminal: &mut Terminal) {
        tracing::error!("{fall}");
        if fall.again {
            return self.update(Msg::Trouble(fall.to_string()), terminal);
        }
        self.terminate(Ending::Broken(fall.thread), terminal);
        // The hands themselves may be what is missing.
        self.keep_safe();
    }

    fn terminate(&mut self, ending: Ending, terminal: &mut Terminal) {
        self.update(Msg::Terminate, terminal);
        self.ending = Some(ending);
    }

    fn resize(&mut self) {
        if let Ok((width, height)) = terminal::size()
            && (width, height) != (self.app.width, self.app.height)
        {
            let mut effects = Vec::new();
            update(&mut self.app, Msg::Resize { width, height }, &mut effects);
            for effect in effects {
                if let Effect::Send(request) = effect {
                    self.send(request);
                }
            }
        }
    }

    fn suspend(&mut self, terminal: &mut Terminal) {
        terminal.leave();
        // Stops here; the shell's `fg` goes on behind this line.
        signals::stop_myself();
        self.resume(terminal);
    }

    fn resume(&mut self, terminal: &mut Terminal) {
        if terminal.enter().is_err() {
            return self.terminate(Ending::Disconnected, terminal);
        }
        self.resize();
        self.update(Msg::Resumed, terminal);
    }

    fn update(&mut self, msg: Msg, terminal: &mut Terminal) {
        let mut effects = Vec::new();
        update(&mut self.app, msg, &mut effects);
        for effect in effects {
            self.fulfil(effect, terminal);
        }
    }

    fn fulfil(&mut self, effect: Effect, terminal: &mut Terminal) {
        match effect {
            Effect::Send(request) => self.send(request),
            Effect::StartEngine => self.start_engine(),
            Effect::KillEngine => {
                if let Some(engine) = &mut self.engine {
                    engine.kill();
                }
            }
            Effect::File(task) => self.hands.give(Task::File(task)),
            Effect::Copy(text) => self.copy(text, terminal),
            Effect::FindModels => {
                let task = Task::FindModels { base: self.app.base.clone(), folders: self.models.clone() };
                self.hands.give(task);
            }
            Effect::Suspend => self.suspend(terminal),
            Effect::Repaint => {
                self.urgent = true;
                if terminal.forget().is_err() {
                    self.ending = Some(Ending::Disconnected);
                }
            }
            Effect::Quit => self.ending = self.ending.or(Some(Ending::Left)),
        }
    }

    fn send(&mut self, request: Request) {
        if let Some(engine) = &self.engine
            && let Err(gone) = engine.send(request)
        {
            // The closed channel of events says the same; this is only for the log.
            tracing::warn!("{gone}");
        }
    }

    fn draw(&mut self, terminal: &mut Terminal) -> std::io::Result<()> {
        self.resize();
        let (app, look) = (&self.app, &self.look);
        let began = Instant::now();
        terminal.draw(|buf| view(app, look, buf))?;
        let took = began.elapsed();
        if took > Duration::from_millis(33) {
            tracing::warn!("a frame took {} ms at {}x{}", took.as_millis(), app.width, app.height);
        }
        self.app.redraw = false;
        self.urgent = false;
        self.drawn = Instant::now();
        Ok(())
    }
}

/// Progress may wait for the next calm draw; everything else is shown at once.
fn is_calm(event: &Event) -> bool {
    use crate::protocol::CellState::{Partial, Queued, Running};
    match event {
        Event::Pulse { .. } => true,
        Event::Cell { state, .. } => matches!(state, Running(_) | Partial(_) | Queued),
        _ => false,
    }
}

//! The engine as threads of this process, for headless runs and tests. Messages are not encoded.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::protocol::{Engine, EngineGone, Event, Problem, ProblemKind, Request};
use crate::util::supervised::{self, Fall};

pub struct InProcess {
    requests: Option<Sender<Request>>,
    events: Receiver<Event>,
    /// Closes when the engine has returned.
    ended: Receiver<()>,
}

/// How long a dropped engine may take to end before it is left to itself.
const WIND_UP: Duration = Duration::from_secs(3);

impl InProcess {
    /// Starts `engine` on a thread of its own. It must return when its requests close.
    pub fn start<F>(engine: F) -> Self
    where
        F: FnOnce(Receiver<Request>, Sender<Event>) + Send + 'static,
    {
        let (requests, inbox) = unbounded();
        let (outbox, events) = unbounded();
        let (alive, ended) = unbounded();
        let last_words = outbox.clone();
        let work = move || {
            let _alive: Sender<()> = alive;
            engine(inbox, outbox);
        };
        let fell = move |fall: Fall| {
            let problem = Problem::new(ProblemKind::Bug, fall.to_string());
            let _ = last_words.send(Event::Fault { problem });
        };
        let spawned = supervised::once("engine", work, fell);
        if let Err(e) = spawned {
            // Both far ends are dropped: `send` answers `EngineGone`, `events` is closed.
            tracing::error!("no thread for the engine: {e}");
        }
        Self { requests: Some(requests), events, ended }
    }
}

impl Engine for InProcess {
    fn send(&self, request: Request) -> Result<(), EngineGone> {
        let gone = || EngineGone("its threads have ended".into());
        self.requests.as_ref().ok_or_else(gone)?.send(request).map_err(|_| gone())
    }

    fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    fn kill(&mut self) {
        // The engine cancels everything when its requests close; threads cannot be ended by force.
        if let Some(requests) = self.requests.take() {
            let _ = requests.send(Request::Shutdown);
        }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.kill();
        // So that what it keeps in temporary folders is gone with it.
        let _ = self.ended.recv_timeout(WIND_UP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_reach_the_engine_and_events_come_back_until_it_is_killed() {
        let mut engine = InProcess::start(|requests, events| {
            for request in requests {
                match request {
                    Request::Pulse => events.send(Event::Pulse { rss_bytes: 1, cpu_busy: 0 }).unwrap(),
                    _ => return,
                }
            }
        });
        engine.send(Request::Pulse).unwrap();
        assert_eq!(engine.events().recv().unwrap(), Event::Pulse { rss_bytes: 1, cpu_busy: 0 });
        engine.kill();
        assert!(engine.events().recv().is_err());
        assert!(engine.send(Request::Pulse).is_err());
    }
}

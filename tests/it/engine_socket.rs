//! The engine behind a socket: the same events, lost peers, dead engines.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use recscope::engine::lanes::run_engine;
use recscope::protocol::transport::{ChildOptions, ChildProcess, ServeOptions, serve};
use recscope::protocol::{CellState, Engine, Event, Request};

use crate::engine;
use crate::engine_bench::{Bench, done, plain};

/// An engine on a thread of this process, behind a real socket.
fn served(detached: bool) -> (PathBuf, tempfile::TempDir, thread::JoinHandle<()>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("e.sock");
    let options =
        ServeOptions { detached, wind_up: Duration::from_secs(60), ..ServeOptions::new(socket.clone()) };
    let serving = thread::spawn(move || {
        serve(&options, |requests, events| run_engine(&plain(), &requests, events)).unwrap();
    });
    (socket, folder, serving)
}

#[test]
fn the_socket_carries_what_the_threads_say() {
    let (socket, _folder, serving) = served(false);
    let mut bench = Bench::with(Box::new(ChildProcess::attach(&socket).unwrap()));
    bench.sync(&engine::script().0);
    let events = bench.run(&engine::CELLS);
    engine::told_as_expected(&events);
    assert_eq!(bench.rows("few").len(), 4);
    // Gone without a goodbye: the engine ends by itself, and with it its socket.
    drop(bench);
    serving.join().unwrap();
    assert!(!socket.exists());
}

#[test]
fn a_detached_engine_tells_the_next_screen_where_cells_stand() {
    let (socket, _folder, serving) = served(true);
    let mut first = Bench::with(Box::new(ChildProcess::attach(&socket).unwrap()));
    first.sync(&engine::script().0);
    first.run(&["few"]);
    drop(first);
    let second = Bench::with(Box::new(ChildProcess::attach(&socket).unwrap()));
    let known = second.until(|event| matches!(event, Event::Cell { .. }));
    done(&known, "few");
    assert!(known.iter().any(|event| matches!(event, Event::Ready { .. })));
    second.engine.send(Request::Shutdown).unwrap();
    serving.join().unwrap();
    assert!(!socket.exists());
}

#[test]
fn a_child_process_runs_cells_and_its_death_is_seen() {
    let mut bench = Bench::with(Box::new(child()));
    bench.sync(&engine::script().0);
    let events = bench.run(&engine::CELLS);
    engine::told_as_expected(&events);
    bench.engine.kill();
    // Whatever was on its way arrives, then the channel closes.
    closes(bench.engine.as_ref());
    assert!(bench.engine.send(Request::Pulse).is_err());

    // Another one starts beside its grave.
    bench.engine = Box::new(child());
    bench.sync(&engine::script().0);
    let events = bench.run(&["few"]);
    done(&events, "few");
}

#[test]
fn a_program_that_is_no_engine_is_told() {
    let child = ChildProcess::spawn(&ChildOptions::program("/bin/false")).unwrap();
    closes(&child);
    assert!(child.why().unwrap().contains("ended"), "{:?}", child.why());
    assert!(child.send(Request::Pulse).is_err());
    assert!(ChildProcess::spawn(&ChildOptions::program("/no/such/program")).is_err());
}

#[test]
fn a_killed_engine_in_the_middle_of_work_leaves_no_process() {
    let engine = child();
    let pid = engine.pid().expect("a child that was started has a number");
    let mut bench = Bench::with(Box::new(engine));
    bench.sync("```sql a\nSELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0\n```\n");
    bench.start(&["a"]);
    bench.until(|event| matches!(event, Event::Cell { state: CellState::Running(_), .. }));
    assert!(runs(pid), "it works while it is looked at");
    bench.engine.kill();
    closes(bench.engine.as_ref());
    let began = Instant::now();
    while runs(pid) {
        assert!(began.elapsed() < Duration::from_secs(60), "process {pid} is still there");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The channel of events closes; an engine that is silent and alive fails the test.
fn closes(engine: &dyn Engine) {
    let end = loop {
        if let Err(end) = engine.events().recv_timeout(Duration::from_secs(60)) {
            break end;
        }
    };
    assert_eq!(end, RecvTimeoutError::Disconnected, "the engine is silent, and not gone");
}

/// Whether there is such a process, and not only its entry that waits for its parent.
fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|text| !text.lines().any(|line| line.starts_with("State:") && line.contains('Z')))
}

fn child() -> ChildProcess {
    ChildProcess::spawn(&ChildOptions::program(env!("CARGO_BIN_EXE_recscope"))).unwrap()
}

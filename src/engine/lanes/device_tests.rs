//! A score cell on a GPU that fails: what is kept, what is said, and that the engine goes on. The GPUs are
//! the CPU in disguise (`engine::model::device::testing`).

use super::{EngineOptions, start_in_process};
use crate::engine::model::{copy_fixture, device_testing::Fault, device_testing::devices_for};
use crate::protocol::transport::InProcess;
use crate::protocol::{Body, CellState, Engine, Event, Outcome, Problem, ProblemKind, Request};

const CELLS: &str = "```sql many\nSELECT i, 'red shoes ' || i AS a, 'boots ' || i AS b FROM range(900) t(i)\n```\n\
     ```score rel\nfrom = \"many\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\nbatch_tokens = 256\n```\n\
     ```sql kept\nSELECT count(*) AS n, count(rel_score) AS scored FROM rel\n```\n\
     ```sql free\nSELECT 2 AS two\n```\n";

struct Bench {
    _folder: tempfile::TempDir,
    engine: InProcess,
    jobs: u64,
}

impl Bench {
    fn new(devices: &[(&str, Fault)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_fixture("architectures/bert-classifier", &folder.path().join("m"));
        devices_for(&folder.path().join("m"), devices);
        let options =
            EngineOptions { cache: false, live_ms: None, device: "cpu".into(), ..Default::default() };
        let engine = start_in_process(options);
        let base = folder.path().to_path_buf();
        engine.send(Request::Sync { text: CELLS.into(), path: None, base, params: Vec::new() }).unwrap();
        Self { _folder: folder, engine, jobs: 0 }
    }

    /// The states of a cell in a job of these, without its progress.
    fn run(&mut self, cells: &[&str], of: &str) -> Vec<CellState> {
        self.jobs += 1;
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        self.engine.send(Request::Run { job: self.jobs, cells, first: Vec::new() }).unwrap();
        let mut states = Vec::new();
        for event in self.engine.events() {
            match event {
                Event::Cell { cell, state, .. } if cell == of => states.push(state),
                Event::JobEnded { job, .. } if job == self.jobs => break,
                Event::Fault { problem } => panic!("{problem}"),
                _ => {}
            }
        }
        states.retain(|state| !matches!(state, CellState::Queued | CellState::Running(_)));
        states
    }
}

fn failed(states: &[CellState]) -> &Problem {
    match states.last() {
        Some(CellState::Failed(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

fn done(states: &[CellState]) -> &Outcome {
    match states.last() {
        Some(CellState::Done(outcome)) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lost_gpu_keeps_what_was_scored_and_the_engine_goes_on() {
    let mut bench = Bench::new(&[("cuda:120", Fault::lost_at(4))]);
    let states = bench.run(&["many", "rel"], "rel");
    let problem = failed(&states);
    assert_eq!(problem.kind, ProblemKind::Resource);
    assert!(problem.message.contains("cuda:120 was lost") && problem.message.contains("ILLEGAL_ADDRESS"));
    assert!(problem.hint.as_ref().unwrap().contains("restart the engine"));
    let Some(CellState::Partial(partial)) = states.first() else { panic!("{states:?}") };
    let Body::Score(summary) = &partial.body else { panic!("{partial:?}") };
    assert!(partial.partial && summary.rows > 0 && summary.rows < 900, "{summary:?}");
    assert_eq!((summary.device.as_str(), summary.dtype.as_str()), ("cuda:120", "f16"));
    // Its rows can be read, and the engine does other work.
    assert!(done(&bench.run(&["kept"], "kept")).relation.is_some());
    assert_eq!(done(&bench.run(&["free"], "free")).cell, "free");
    // The device is named as lost at once, rather than tried.
    let again = bench.run(&["rel"], "rel");
    assert!(failed(&again).message.contains("until the engine restarts"), "{again:?}");
    assert_eq!(again.len(), 1, "nothing was scored: {again:?}");
    assert_eq!(done(&bench.run(&["free"], "free")).cell, "free");
}

#[test]
fn a_cell_says_once_that_its_batches_were_halved() {
    let devices = [("cuda:121", Fault::memory_of(150).slow()), ("cuda:122", Fault::lost_at(2))];
    let states = Bench::new(&devices).run(&["many", "rel"], "rel");
    let outcome = done(&states);
    let Body::Score(summary) = &outcome.body else { panic!("{outcome:?}") };
    assert_eq!((summary.rows, summary.device.as_str()), (900, "cuda:121,122"));
    let told = outcome.notes.join("\n");
    assert_eq!(told.matches("did not fit into cuda:121; going on with").count(), 1, "{told}");
    assert_eq!(told.matches("cuda:122 was lost").count(), 1, "{told}");
}

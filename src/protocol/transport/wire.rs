//! Messages as bytes (postcard), and the thread that writes them. The only place that knows the
//! encoding.

use std::io::{BufWriter, Write};

use crossbeam_channel::Receiver;
use serde::{Serialize, de::DeserializeOwned};

use super::frame::{FrameWriter, Stream};
use crate::protocol::{Event, Request};

/// One message as bytes.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, String> {
    postcard::to_stdvec(message).map_err(|e| format!("a message cannot be encoded: {e}"))
}

/// The message in `bytes`, all of them.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(format!("{} bytes left over after a message", rest.len())),
        Err(e) => Err(format!("a message cannot be decoded: {e}")),
    }
}

/// Which stream a message travels on.
pub(super) trait Routed: Serialize {
    fn stream(&self) -> Stream {
        Stream::Ordered
    }
}

impl Routed for Request {}

impl Routed for Event {
    fn stream(&self) -> Stream {
        match self {
            Event::Page { .. } => Stream::Bulk,
            _ => Stream::Ordered,
        }
    }
}

/// Writes what `messages` brings until it closes and everything is out, or the peer is gone.
pub(super) fn write_all<M: Routed>(messages: &Receiver<M>, output: impl Write) -> Result<(), String> {
    let mut writer = FrameWriter::new(BufWriter::with_capacity(64 << 10, output));
    let mut open = true;
    while open || !writer.is_empty() {
        if writer.is_empty() {
            writer.flush().map_err(|e| e.to_string())?;
            match messages.recv() {
                Ok(message) => push(&mut writer, &message),
                Err(_) => open = false,
            }
        }
        while let Ok(message) = messages.try_recv() {
            push(&mut writer, &message);
        }
        writer.write_some().map_err(|e| e.to_string())?;
    }
    writer.flush().map_err(|e| e.to_string())
}

/// A message that cannot travel is logged and left out: the connection is worth more than it.
fn push<M: Routed>(writer: &mut FrameWriter<impl Write>, message: &M) {
    let sent =
        encode(message).and_then(|bytes| writer.push(message.stream(), bytes).map_err(|e| e.to_string()));
    if let Err(why) = sent {
        tracing::error!("message dropped: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::*;

    fn outcome() -> Outcome {
        let column = Column {
            name: "跑鞋".into(),
            sql_type: "VARCHAR".into(),
            role: Some("query".into()),
            guessed: true,
        };
        let relation = RelationInfo { name: "rel".into(), rows: RowCount::AtLeast(3), columns: vec![column] };
        let check = CheckOutcome {
            text: "ndcg@10 >= 0.3".into(),
            ok: None,
            value: Some(f64::INFINITY),
            threshold: Some(0.3),
            rows_sql: None,
            reason: Some("n/a".into()),
        };
        Outcome { cell: "rel".into(), relation: Some(relation), checks: vec![check], ..Outcome::default() }
    }

    fn bodies() -> Vec<Body> {
        let words =
            vec![WordAttribution { text: "鞋".into(), side: 1, attribution: -0.5, std_error: Some(0.1) }];
        let record = vec![("a".into(), None), ("b".into(), Some("\u{1b}[31m".into()))];
        let explanation = Explanation { words, record, delta: Some(0.01), ..Explanation::default() };
        let report = TrainReport { epochs: vec![EpochReport::default()], ..TrainReport::default() };
        vec![
            Body::Table,
            Body::Score(ScoreSummary::default()),
            Body::Explain(vec![explanation]),
            Body::Train(report),
        ]
    }

    fn states() -> Vec<CellState> {
        let mut all = vec![
            CellState::Queued,
            CellState::Running(Progress { total: Some(9), eta_ms: Some(1), ..Progress::default() }),
            CellState::Paused(Progress { scoring: Some(Box::default()), ..Progress::default() }),
            CellState::Partial(Box::new(outcome())),
            CellState::Failed(Problem::new(ProblemKind::Bug, "x").hint("y").at(1, 2).in_cell("c")),
            CellState::Cancelled(None),
            CellState::Cancelled(Some(Box::new(outcome()))),
            CellState::Skipped { because: "a".into() },
        ];
        all.extend(bodies().into_iter().map(|body| CellState::Done(Box::new(Outcome { body, ..outcome() }))));
        all
    }

    /// Fails to compile when a variant is added, and the number of kinds then tells whether a sample was.
    fn event_kind(event: &Event) -> usize {
        match event {
            Event::Ready { .. } => 0,
            Event::Cell { .. } => 1,
            Event::Cancelling { .. } => 2,
            Event::JobEnded { .. } => 3,
            Event::Page { .. } => 4,
            Event::Described { .. } => 5,
            Event::Completions { .. } => 6,
            Event::Source { .. } => 7,
            Event::Pulse { .. } => 8,
            Event::Fault { .. } => 9,
            Event::Recipe { .. } => 10,
            Event::Outdated { .. } => 11,
            Event::Note { .. } => 12,
        }
    }

    fn request_kind(request: &Request) -> usize {
        match request {
            Request::Sync { .. } => 0,
            Request::Run { .. } => 1,
            Request::Cancel { .. } => 2,
            Request::Page { .. } => 3,
            Request::Describe { .. } => 4,
            Request::Complete { .. } => 5,
            Request::Pulse => 6,
            Request::Shutdown => 7,
            Request::Pause { .. } => 8,
            Request::Resume { .. } => 9,
            Request::Recipe { .. } => 10,
        }
    }

    fn spec() -> PageSpec {
        PageSpec {
            relation: "rel".into(),
            offset: 5,
            limit: 50,
            filter: Some("x > 1".into()),
            ..Default::default()
        }
    }

    fn events() -> Vec<Event> {
        let page = Page { spec: spec(), ipc: vec![0; 100_000], ..Page::default() };
        let problem = || Problem::new(ProblemKind::Data, "gone");
        let mut all = vec![
            Event::Ready { version: "1".into(), duckdb: "v1".into(), device: "cpu".into() },
            Event::Cancelling { job: 1 },
            Event::JobEnded { job: u64::MAX, ok: true, elapsed_ms: 2 },
            Event::Page { slot: 1, seq: 2, result: Ok(page) },
            Event::Page { slot: 1, seq: 2, result: Err(problem()) },
            Event::Described { relation: "r".into(), result: Ok(vec![Column::default()]) },
            Event::Described { relation: "r".into(), result: Err(problem()) },
            Event::Completions { seq: 1, from: 3, items: vec!["SELECT".into()] },
            Event::Recipe { seq: 1, result: Ok("SELECT 1".into()) },
            Event::Recipe { seq: 1, result: Err(problem()) },
            Event::Source { name: "s".into(), result: Err(problem()) },
            Event::Outdated { cell: "a".into(), why: Outdated::Source("s".into()) },
            Event::Outdated { cell: "a".into(), why: Outdated::Elsewhere },
            Event::Note { text: "说明".into() },
            Event::Pulse { rss_bytes: 1, cpu_busy: 2 },
            Event::Fault { problem: problem() },
        ];
        let cell = |state| Event::Cell { job: 1, cell: "rel".into(), state };
        all.extend(states().into_iter().map(cell));
        all
    }

    fn requests() -> Vec<Request> {
        let params = vec![("k".into(), "10".into())];
        vec![
            Request::Sync { text: "# 鞋".into(), path: Some("a/b.md".into()), base: "a".into(), params },
            Request::Sync { text: String::new(), path: None, base: ".".into(), params: Vec::new() },
            Request::Run {
                job: 1,
                cells: vec!["a".into(), "b".into()],
                first: vec![FirstRows { cell: "b".into(), rows: spec() }],
            },
            Request::Pause { job: 1 },
            Request::Resume { job: 1 },
            Request::Cancel { job: 1 },
            Request::Page { slot: 3, seq: 9, spec: spec() },
            Request::Describe { relation: "r".into() },
            Request::Complete { seq: 1, sql: "SEL".into(), cursor: 3 },
            Request::Recipe {
                seq: 1,
                cell: "m".into(),
                metric: Some("mrr".into()),
                predicate: String::new(),
            },
            Request::Pulse,
            Request::Shutdown,
        ]
    }

    #[test]
    fn every_message_comes_back_as_it_was() {
        let mut kinds = std::collections::BTreeSet::new();
        for event in events() {
            kinds.insert(event_kind(&event));
            assert_eq!(decode::<Event>(&encode(&event).unwrap()).unwrap(), event);
        }
        assert_eq!(kinds.len(), 13);
        let mut kinds = std::collections::BTreeSet::new();
        for request in requests() {
            kinds.insert(request_kind(&request));
            assert_eq!(decode::<Request>(&encode(&request).unwrap()).unwrap(), request);
        }
        assert_eq!(kinds.len(), 11);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert!(decode::<Event>(&[250, 1, 2]).is_err());
        let mut bytes = encode(&Request::Pulse).unwrap();
        bytes.push(0);
        assert!(decode::<Request>(&bytes).is_err());
    }
}

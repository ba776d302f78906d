//! Pages and outcomes for tests, as an engine would send them.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

use crate::protocol::{CellState, Column, Event, Outcome, Page, PageSpec, RelationInfo, RowCount};

pub fn column(name: &str, sql_type: &str, role: Option<&str>) -> Column {
    Column { name: name.into(), sql_type: sql_type.into(), role: role.map(Into::into), guessed: false }
}

pub fn info(name: &str, rows: u64) -> RelationInfo {
    let columns = vec![
        column("item_id", "BIGINT", Some("item")),
        column("query", "VARCHAR", Some("query")),
        column("title", "VARCHAR", Some("text")),
        column("rel_score", "DOUBLE", Some("score")),
    ];
    RelationInfo { name: name.into(), rows: RowCount::Exact(rows), columns }
}

/// Rows numbered from 0 with Chinese and English text.
pub fn page(spec: &PageSpec, total: u64) -> Page {
    let rows: Vec<i64> =
        (spec.offset..total.min(spec.offset + u64::from(spec.limit))).map(|r| r as i64).collect();
    let text = |f: &dyn Fn(i64) -> String| StringArray::from_iter_values(rows.iter().map(|r| f(*r)));
    let fields = |(name, kind): (&str, DataType)| Field::new(name, kind, true);
    let schema = Schema::new(
        [
            ("item_id", DataType::Int64),
            ("query", DataType::Utf8),
            ("title", DataType::Utf8),
            ("rel_score", DataType::Float64),
        ]
        .map(fields)
        .to_vec(),
    );
    let batch = RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(Int64Array::from(rows.clone())),
            Arc::new(text(&|r| format!("跑鞋 男 {}", r % 7))),
            Arc::new(text(&|r| format!("Men's Hiking Boots {r}"))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| 7.5 - *r as f64 / 10.0))),
        ],
    )
    .unwrap();
    Page {
        spec: spec.clone(),
        total: RowCount::Exact(total),
        columns: info(&spec.relation, total).columns,
        ipc: ipc(&batch),
    }
}

pub fn ipc(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

/// A table of fairness: two slices.
pub fn fairness_info(name: &str) -> RelationInfo {
    let columns = [
        ("slice", "VARCHAR"),
        ("value_of", "VARCHAR"),
        ("n", "BIGINT"),
        ("value", "DOUBLE"),
        ("lower", "DOUBLE"),
        ("upper", "DOUBLE"),
        ("delta", "DOUBLE"),
        ("p_adjusted", "DOUBLE"),
        ("predicate", "VARCHAR"),
    ];
    let columns = columns.iter().map(|(n, t)| column(n, t, None)).collect();
    RelationInfo { name: name.into(), rows: RowCount::Exact(2), columns }
}

pub fn fairness_page(spec: &PageSpec) -> Page {
    let text = |a: &str, b: &str| Arc::new(StringArray::from(vec![a, b])) as arrow::array::ArrayRef;
    let real = |a: f64, b: f64| Arc::new(Float64Array::from(vec![a, b])) as arrow::array::ArrayRef;
    let columns = fairness_info("").columns;
    let arrays: Vec<arrow::array::ArrayRef> = vec![
        text("region", "region"),
        text("south", "north"),
        Arc::new(Int64Array::from(vec![4870, 5120])),
        real(0.41, 0.71),
        real(0.38, 0.69),
        real(0.44, 0.73),
        real(-0.30, 0.04),
        real(0.0001, 0.31),
        text("\"region\" = 'south'", "\"region\" = 'north'"),
    ];
    let fields: Vec<Field> =
        columns.iter().zip(&arrays).map(|(c, a)| Field::new(&c.name, a.data_type().clone(), true)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    Page { spec: spec.clone(), total: RowCount::Exact(2), columns, ipc: ipc(&batch) }
}

pub fn outcome(info: RelationInfo) -> Outcome {
    Outcome { cell: info.name.clone(), relation: Some(info), elapsed_ms: 120, ..Outcome::default() }
}

pub fn done(job: u64, info: RelationInfo) -> Event {
    Event::Cell { job, cell: info.name.clone(), state: CellState::Done(Box::new(outcome(info))) }
}

/// An app with an engine that says yes to everything: what it was asked lies in `effects`.
pub struct Driver {
    pub app: crate::screen::app::App,
    pub effects: Vec<crate::screen::app::Effect>,
}

impl Driver {
    pub fn new(text: &str, width: u16, height: u16) -> Self {
        let path = Some(std::path::PathBuf::from("/nowhere/shoes.md"));
        let opening = crate::screen::app::Opening {
            text: text.into(),
            path,
            on_disk: Some(text.into()),
            base: "/nowhere".into(),
            ..Default::default()
        };
        Self::open(opening, width, height)
    }

    /// Cheap cells run again by themselves.
    pub fn auto(text: &str) -> Self {
        let (path, on_disk) = (Some("/nowhere/shoes.md".into()), Some(text.into()));
        let base = "/nowhere".into();
        let text = text.into();
        let opening =
            crate::screen::app::Opening { text, path, on_disk, base, auto_run: true, ..Default::default() };
        Self::open(opening, 80, 24)
    }

    /// A new notebook that no file holds yet.
    pub fn unsaved(text: &str) -> Self {
        let base = "/nowhere".into();
        Self::open(crate::screen::app::Opening { text: text.into(), base, ..Default::default() }, 80, 24)
    }

    pub fn open(opening: crate::screen::app::Opening, width: u16, height: u16) -> Self {
        let mut driver = Self { app: crate::screen::app::App::new(opening), effects: Vec::new() };
        driver.send(crate::screen::app::Msg::Resize { width, height });
        driver.send(crate::screen::app::Msg::EngineStarted);
        driver
    }

    pub fn send(&mut self, msg: crate::screen::app::Msg) {
        crate::screen::app::update(&mut self.app, msg, &mut self.effects);
    }

    /// Presses keys written as in COMMANDS, blanks between.
    pub fn keys(&mut self, keys: &str) {
        for key in crate::screen::app::Key::parse_sequence(keys).unwrap() {
            self.send(crate::screen::app::Msg::Key(key));
        }
    }

    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.send(crate::screen::app::Msg::Key(crate::screen::app::Key::char(c)));
        }
    }

    /// Requests sent since the last look.
    pub fn sent(&mut self) -> Vec<crate::protocol::Request> {
        let effects = std::mem::take(&mut self.effects);
        effects
            .into_iter()
            .filter_map(|e| match e {
                crate::screen::app::Effect::Send(request) => Some(request),
                _ => None,
            })
            .collect()
    }

    /// Ends the newest job: each of its cells is done with the relation that `info` gives.
    pub fn finish(&mut self, info: impl Fn(&str) -> RelationInfo) {
        let job = self.app.jobs.last().cloned().unwrap();
        for cell in &job.cells {
            self.send(crate::screen::app::Msg::Engine(done(job.id, info(cell))));
        }
        self.send(crate::screen::app::Msg::Engine(Event::JobEnded {
            job: job.id,
            ok: true,
            elapsed_ms: 1200,
        }));
    }

    /// Answers every page that was asked for.
    pub fn answer(&mut self, page: impl Fn(&PageSpec) -> Page) {
        for request in self.sent() {
            if let crate::protocol::Request::Page { slot, seq, spec } = request {
                let result = Ok(page(&spec));
                self.send(crate::screen::app::Msg::Engine(Event::Page { slot, seq, result }));
            }
        }
    }
}

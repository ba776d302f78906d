//! What a contestant loses against the first: scores, order, and the ranking where there are judgments.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::super::Failure;
use super::super::queries::analysis_failure;
use super::contest::{Contestant, scores, scores_unpacked};
use super::sample::Sample;
use crate::analysis::drift::{Gate, RankingChange, ScoreDrift, Scored, Verdict, ranking_change, score_drift};
use crate::engine::lanes::StoreQueries;
use crate::engine::model::{Dtype, Model};
use crate::engine::store::{Store, StoreOptions};
use crate::util::cancel::Cancel;

const ROWS: &str = "scored_rows";
const METRIC: &str = "ndcg@10";
const RESAMPLES: u32 = 1000;
const SEED: u64 = 42;

#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub scores: ScoreDrift,
    pub ranking: Option<RankingChange>,
    pub verdict: Verdict,
}

/// Scores of the same rows before and after.
pub fn compare(
    sample: &Sample,
    before: &[Option<f64>],
    after: &[Option<f64>],
    gate: &Gate,
    cancel: &Cancel,
) -> Result<Comparison, Failure> {
    let scores = score_drift(before, after);
    let ranking = match &sample.gains {
        Some(gains) => ranking(sample, gains, before, after, cancel)?,
        None => None,
    };
    Ok(Comparison { scores, verdict: gate.judge(&scores, ranking.as_ref()), ranking })
}

/// One model's scores in two number types.
pub fn dtypes(
    model: &Model,
    sample: &Sample,
    (before, after): (Dtype, Dtype),
    cancel: &Cancel,
) -> Result<Comparison, Failure> {
    let of = |dtype| match dtype {
        // The job's own numbers are packed already; floats beside them would cost more memory than the job.
        Dtype::F32 if model.has_fused_path() => scores_unpacked(model, sample, cancel),
        _ => scores(&Contestant { model, dtype }, sample, cancel).map(|(scores, _)| scores),
    };
    compare(sample, &of(before)?, &of(after)?, &Gate::default(), cancel)
}

/// The metric is computed where every other one is, in DuckDB.
fn ranking(
    sample: &Sample,
    gains: &[Option<f64>],
    before: &[Option<f64>],
    after: &[Option<f64>],
    cancel: &Cancel,
) -> Result<Option<RankingChange>, Failure> {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let number = |name| Field::new(name, DataType::Float64, true);
    let fields = vec![text("query"), text("item"), number("gain"), number("before"), number("after")];
    let schema = Arc::new(Schema::new(fields));
    let items = (0..sample.rows()).map(|row| format!("{row:09}"));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(sample.first.clone())),
        Arc::new(StringArray::from_iter_values(items)),
        Arc::new(Float64Array::from(gains.to_vec())),
        Arc::new(Float64Array::from(before.to_vec())),
        Arc::new(Float64Array::from(after.to_vec())),
    ];
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| Failure::bug(e.to_string()))?;
    let connection = Store::open(&StoreOptions::default())?.connect()?;
    connection.create_table(ROWS, &schema)?;
    connection.append(ROWS, &rows)?;
    let scored = Scored {
        from: ROWS.into(),
        query: "query".into(),
        item: "item".into(),
        gain: "gain".into(),
        before: "before".into(),
        after: "after".into(),
    };
    let mut queries = StoreQueries { connection: &connection, cancel };
    ranking_change(&mut queries, &scored, METRIC, (RESAMPLES, SEED), cancel).map_err(analysis_failure)
}

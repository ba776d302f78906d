//! `recscope models bench`: speed and loss of number types of one model, or of one model against another.

use super::super::Failure;
use super::super::args::ShortFormat;
use super::super::output::{cancel_on_signal, print};
use super::args::{BenchArgs, SampleArgs};
use super::compare::compare;
use super::contest::{Contestant, Loaded, contest, load};
use super::report::{self, Line};
use super::sample::Sample;
use crate::analysis::drift::Gate;
use crate::engine::model::{Dtype, Model};
use crate::util::cancel::Cancel;

pub fn bench(args: &BenchArgs) -> Result<u8, Failure> {
    let cancel = cancel_on_signal();
    let asked = args.dtype.iter().map(|name| name.parse()).collect::<Result<Vec<Dtype>, _>>()?;
    let model = load(&args.folder)?;
    let other = args.against.as_deref().map(load).transpose()?;
    let types = match (asked.is_empty(), &other) {
        (false, _) => asked,
        (true, Some(_)) => vec![model.model.default_dtype()],
        (true, None) => all_types(&model.model),
    };
    for dtype in &types {
        model.model.check_dtype(*dtype)?;
    }
    let mut contestants = match &other {
        Some(other) => vec![(other, other.model.default_dtype())],
        None => vec![(&model, Dtype::F32)],
    };
    contestants.extend(types.into_iter().map(|dtype| (&model, dtype)));
    if other.is_none() {
        contestants.dedup_by_key(|(_, dtype)| *dtype);
    }
    let sample = Sample::open(&args.sample, model.model.info(), &cancel)?;
    let lines = lines(&contestants, &sample, &args.sample, &cancel)?;
    show(&sample, &lines, args.sample.format)?;
    let failed = lines.iter().filter_map(|line| line.against.as_ref()).any(|lost| !lost.verdict.passes);
    Ok(u8::from(args.gate && failed))
}

/// f32, and int8 where it is computed.
fn all_types(model: &Model) -> Vec<Dtype> {
    let types = [Dtype::F32, Dtype::Int8].into_iter();
    types.filter(|dtype| model.check_dtype(*dtype).is_ok()).collect()
}

/// Runs the contest; every line but the first compared with the first.
pub fn lines(
    contestants: &[(&Loaded, Dtype)],
    sample: &Sample,
    args: &SampleArgs,
    cancel: &Cancel,
) -> Result<Vec<Line>, Failure> {
    let runners: Vec<Contestant> = contestants
        .iter()
        .map(|(loaded, dtype)| Contestant { model: &loaded.model, dtype: *dtype })
        .collect();
    let outcomes = contest(&runners, sample, args.rounds, cancel)?;
    let gate = Gate { tolerance: args.tolerance, ..Gate::default() };
    let mut lines: Vec<Line> = Vec::new();
    for ((loaded, dtype), outcome) in contestants.iter().zip(outcomes) {
        let against = match lines.first() {
            None => None,
            Some(first) => Some(compare(sample, &first.outcome.scores, &outcome.scores, &gate, cancel)?),
        };
        lines.push(Line {
            name: loaded.model.info().name.clone(),
            dtype: dtype.to_string(),
            bytes: loaded.bytes,
            parameters: loaded.model.info().parameters as u64,
            load_seconds: loaded.seconds,
            outcome,
            against,
        });
    }
    Ok(lines)
}

pub fn show(sample: &Sample, lines: &[Line], format: ShortFormat) -> Result<u8, Failure> {
    print(&match format {
        ShortFormat::Text => report::text(sample, lines),
        ShortFormat::Json => format!("{:#}\n", report::json(sample, lines)),
    })
}

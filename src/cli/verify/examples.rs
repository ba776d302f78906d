//! The worked examples of METRICS.

use super::super::Failure;
use super::expected::EXAMPLES;
use super::family::{Family, Session};
use crate::analysis::metrics::METRICS;

pub(super) fn metrics(session: &Session<'_>) -> Result<Family, Failure> {
    let mut family = Family::new(&EXAMPLES);
    for metric in METRICS {
        let from = session.csv(&metric.example.csv())?;
        let table = session.evaluate(&metric.example.request(&from))?;
        let value = table.lines.first().and_then(|line| line.value);
        family.add(value, Some(metric.example.value), || metric.example.ask.to_owned());
    }
    Ok(family)
}

//! What a reader of a comparison must know of it, in sentences.

use super::comparison::{ALPHA, POWER};
use super::pairs::GroupPairs;
use super::request::CompareRequest;
use super::table::CompareTable;
use crate::util::figures::thousands;

fn count(n: impl Into<i128>) -> String {
    thousands(n.into())
}

/// Lists of which a run retrieved nothing.
pub(super) fn unranked(run: &str, lists: u64) -> Option<String> {
    (lists > 0).then(|| {
        format!("{run}: nothing is retrieved for {} lists; they count as such, mostly as 0", count(lists))
    })
}

/// Lists that only one run has.
pub(super) fn unpaired(baseline: &str, run: &str, all: &GroupPairs) -> Vec<String> {
    let mut notes = Vec::new();
    for (here, there, lists) in [(baseline, run, all.only_baseline), (run, baseline, all.only_run)] {
        if lists > 0 {
            notes.push(format!("{} lists of {here} are not in {there}: left out of both", count(lists)));
        }
    }
    if all.pairs.is_empty() {
        notes.push(format!("{baseline} and {run} have no query in common: nothing can be compared"));
    }
    notes
}

/// How the figures were made: intervals, tests, families, power.
pub(super) fn explain(table: &mut CompareTable, request: &CompareRequest) {
    let mut say = |note: String| table.notes.push(note);
    if table.resamples > 0 {
        say(format!(
            "intervals of the difference: {}, {} resamples of queries, seed {}",
            request.interval.describe(),
            count(table.resamples),
            request.seed
        ));
    }
    let tests = table.lines.iter().filter(|line| line.p.is_some()).count();
    if tests > 0 {
        say(format!(
            "p: the runs' results trade places query by query, {} times (all ways where there are no more); \
             p_adjusted: Holm over the {tests} tests of this table",
            count(table.permutations)
        ));
    }
    let least = tests as f64 / f64::from(table.permutations.saturating_add(1));
    if tests > 0 && least > ALPHA {
        let needed = (tests as f64 / ALPHA).ceil();
        say(format!(
            "{} permutations over {tests} tests can hardly show anything: take at least {needed}",
            table.permutations
        ));
    }
    if table.lines.iter().any(|line| line.mde.is_some()) {
        let asked = match request.detect {
            Some(size) => format!("a true difference of {size}"),
            None => "a true difference as large as the one observed".to_owned(),
        };
        say(format!(
            "mde: (z(1 - {ALPHA}/2) + z({POWER})) sd / sqrt(queries), the true difference that is found with \
             power {POWER}; power: the chance to find {asked} at {ALPHA}"
        ));
    }
    for (what, made, asked) in [
        ("resamples", table.resamples, request.resamples),
        ("permutations", table.permutations, request.permutations),
    ] {
        if made < asked && !table.lines.is_empty() {
            say(format!("{} {what} instead of {}: many rows", count(made), count(asked)));
        }
    }
}

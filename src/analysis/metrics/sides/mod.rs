//! Runs and judgments that are at hand, evaluated without a database: for sides of millions of rows several
//! times faster than joining and grouping them there. Gives what [`super::evaluate`] gives for the joined
//! rows; what it cannot (repeated items, other metrics, expected ties) it leaves to that.
//!
//! Lists are measured in parts, so that the caller may have them on several threads; none is made here.

mod list;
mod side;

use std::collections::HashMap;
use std::ops::Range;

use self::list::{Listed, Room};
pub use self::side::Side;
use super::evaluate::{self, list_values_of};
use super::facts::{Facts, Lists};
use super::pass::{self, Measure, Terms};
use super::values::{PATIENCE, TOP_GAIN, Values, listwise};
use super::{AnalysisError, Gains, MetricId, MetricsRequest, MetricsTable, Missing, Rows, Unjudged, rules};
use crate::util::cancel::Cancel;

/// How far the sides belong together: queries with a judgment, of them those in the run, and of these those
/// with a judged item in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    pub judged: u64,
    pub answered: u64,
    pub matched: u64,
}

/// Two sides put together by query.
pub struct Sides<'a> {
    run: &'a Side<'a>,
    qrels: &'a Side<'a>,
    /// Judged queries in ascending order, and where their rows are.
    queries: Vec<&'a str>,
    run_rows: Grouped,
    qrels_rows: Grouped,
    request: &'a MetricsRequest,
    ids: Vec<MetricId>,
    terms: Terms,
}

/// Row numbers by query.
struct Grouped {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Grouped {
    /// `number`: that of each query that counts; rows of others are left out.
    fn new(side: &Side<'_>, number: &HashMap<&str, u32>) -> Self {
        let numbers: Vec<Option<&u32>> = side.names().iter().map(|name| number.get(name.as_str())).collect();
        let runs = || {
            let counts = |(name, rows)| Some((**numbers.get(name as usize)?.as_ref()?, rows));
            side.runs().filter_map(counts)
        };
        let mut starts = vec![0u32; number.len() + 1];
        for (query, rows) in runs() {
            if let Some(count) = starts.get_mut(query as usize + 1) {
                *count += rows.len() as u32;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut of_queries = vec![0u32; starts.last().copied().unwrap_or_default() as usize];
        for (query, rows) in runs() {
            let Some(from) = next.get_mut(query as usize) else { continue };
            let to = *from + rows.len() as u32;
            if let Some(slots) = of_queries.get_mut(*from as usize..to as usize) {
                slots.iter_mut().zip(rows).for_each(|(slot, row)| *slot = row as u32);
            }
            *from = to;
        }
        Self { starts, rows: of_queries }
    }

    fn of(&self, query: usize) -> &[u32] {
        let range = self.starts.get(query).zip(self.starts.get(query + 1));
        range.and_then(|(&from, &to)| self.rows.get(from as usize..to as usize)).unwrap_or_default()
    }
}

/// Some lists, measured.
pub struct Part {
    /// Lists that count, by the number of their query.
    kept: Vec<u32>,
    /// Rows of each.
    rows: Vec<u32>,
    /// `[metric][list]`
    values: Vec<Vec<f64>>,
    facts: Facts,
    overlap: Overlap,
}

impl<'a> Sides<'a> {
    /// Puts the sides together; `None` where the request or the rows need the database. The request's roles
    /// are those of the joined rows.
    pub fn new(
        run: &'a Side<'a>,
        qrels: &'a Side<'a>,
        request: &'a MetricsRequest,
    ) -> Result<Option<Self>, AnalysisError> {
        let ids = request.show.iter().map(|text| MetricId::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let rows = &request.rows;
        let direct = !ids.is_empty() && ids.iter().all(|id| pass::computes(id, rows));
        let many = run.rows().max(qrels.rows()) > u32::MAX as usize / 2;
        let largest = qrels.value.iter().copied().filter(|gain| gain.is_finite()).fold(f64::NAN, f64::max);
        // Of what is left out ERR may not know, and the database tells.
        let steep = largest > TOP_GAIN && ids.iter().any(|id| id.metric.id == "err");
        // Judged queries without a grade, and gains for what is not judged.
        let odd =
            qrels.value.iter().any(|gain| gain.is_nan()) || matches!(rows.rules.unjudged, Unjudged::Gain(_));
        if !direct
            || many
            || steep
            || odd
            || request.bounds
            || !request.by.is_empty()
            || request.by_statements
        {
            return Ok(None);
        }
        let mut queries: Vec<&str> = qrels.names().iter().map(|name| name.as_str()).collect();
        queries.sort_unstable();
        let number: HashMap<&str, u32> = queries.iter().copied().zip(0..).collect();
        let run_rows = Grouped::new(run, &number);
        let qrels_rows = Grouped::new(qrels, &number);
        let terms = Terms { relevant_at: rules::threshold(rows), top_gain: TOP_GAIN, patience: PATIENCE };
        Ok(Some(Self { run, qrels, queries, run_rows, qrels_rows, request, ids, terms }))
    }

    /// How many lists there are to measure.
    pub fn lists(&self) -> usize {
        self.queries.len()
    }

    /// Measures some of the lists; `None` where an item comes twice in one of them.
    pub fn part(&self, lists: Range<usize>, cancel: &Cancel) -> Result<Option<Part>, AnalysisError> {
        let sizes =
            lists.clone().map(|list| (self.run_rows.of(list).len() + self.qrels_rows.of(list).len()) as u32);
        let mut measure = Measure::new(&self.ids, self.terms, &sizes.collect::<Vec<_>>());
        let mut room = Room::default();
        let facts = Facts { largest_gain: f64::NAN, probabilities: true, ..Facts::default() };
        let mut part = Part {
            kept: Vec::new(),
            rows: Vec::new(),
            values: Vec::new(),
            facts,
            overlap: Overlap::default(),
        };
        for (at, list) in lists.enumerate() {
            if at % 256 == 0 {
                cancel.check()?;
            }
            let Some(found) = room.list(self, list) else { return Ok(None) };
            part.overlap.judged += 1;
            part.overlap.answered += u64::from(found.answered);
            part.overlap.matched += u64::from(found.matched);
            if self.request.rows.rules.missing == Missing::Dropped && !found.scored {
                continue;
            }
            add(&mut part.facts, &found);
            let number = part.kept.len() as u32;
            part.kept.push(list as u32);
            part.rows.push(found.rows.len() as u32);
            measure.take(number, found.rows.iter().map(|row| (row.rank, row.gain)));
        }
        part.values = measure.values;
        part.values.iter_mut().for_each(|values| values.truncate(part.kept.len()));
        Ok(Some(part))
    }

    /// The table of all parts, which come in the order of their lists, and how far the sides belong together.
    pub fn table(&self, parts: Vec<Part>, cancel: &Cancel) -> Result<(MetricsTable, Overlap), AnalysisError> {
        let mut facts = Facts { largest_gain: f64::NAN, probabilities: true, ..Facts::default() };
        let mut overlap = Overlap::default();
        let (mut kept, mut rows) = (Vec::new(), Vec::new());
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.ids.len()];
        for part in parts {
            merge(&mut facts, &part.facts);
            overlap.judged += part.overlap.judged;
            overlap.answered += part.overlap.answered;
            overlap.matched += part.overlap.matched;
            kept.extend(part.kept);
            rows.extend(part.rows);
            values.iter_mut().zip(part.values).for_each(|(all, more)| all.extend(more));
        }
        let n = kept.len();
        let lists = Lists {
            query: (0..n as u32).collect(),
            user: vec![0; n],
            group: vec![0; n],
            key: Vec::new(),
            rows,
            groups: if n > 0 { vec![Vec::new()] } else { Vec::new() },
        };
        let values: Vec<Values> =
            values.into_iter().map(|values| listwise(values, self.request.empty)).collect();
        let mut notes = evaluate::notes(&facts, &self.ids, &self.request.rows);
        let members = evaluate::groups(&lists, self.request);
        let lines =
            evaluate::lines((&lists, &members), &self.ids, &values, self.request, cancel, &mut notes)?;
        let names =
            || kept.iter().filter_map(|&list| self.queries.get(list as usize)).map(|name| (*name).to_owned());
        let lists = self.request.per_list.then(|| list_values_of(names().collect(), &self.ids, &values));
        Ok((MetricsTable { by: Vec::new(), lines, notes, lists, bounds: false }, overlap))
    }

    /// A judgment's gain as the rules read it; not finite is none.
    fn gain(&self, row: u32) -> f64 {
        let Rows { rules, relevant_at, .. } = &self.request.rows;
        let gain = self.qrels.value.get(row as usize).copied().unwrap_or(f64::NAN);
        let gain = match rules.gains {
            Gains::Given | Gains::Esci { .. } => gain,
            Gains::Whole => gain.trunc(),
            Gains::Binary => f64::from(u8::from(gain >= *relevant_at)),
        };
        if gain.is_finite() { gain } else { f64::NAN }
    }
}

fn add(facts: &mut Facts, list: &Listed<'_, '_>) {
    facts.rows += list.rows.len() as u64;
    facts.bad_scores += list.bad_scores;
    facts.tied += list.tied;
    for row in list.rows {
        facts.shown += u64::from(row.rank.retrieved());
        facts.unjudged += u64::from(row.gain.is_nan());
        facts.largest_gain = facts.largest_gain.max(row.gain);
    }
    facts.probabilities &= list.probabilities;
}

fn merge(facts: &mut Facts, more: &Facts) {
    facts.rows += more.rows;
    facts.shown += more.shown;
    facts.bad_scores += more.bad_scores;
    facts.unjudged += more.unjudged;
    facts.tied += more.tied;
    facts.largest_gain = facts.largest_gain.max(more.largest_gain);
    facts.probabilities &= more.probabilities;
}

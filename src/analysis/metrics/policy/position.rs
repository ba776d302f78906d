//! The position-based click model: P(click) = examination(position) * relevance(query, item), fitted by
//! maximum likelihood to aggregated counts, and which positions the counts can compare at all.
//!
//! EM over the hidden "was it looked at" climbs this likelihood too, but at a click rate of 0.3 % each
//! step closes about 0.3 % of the way. So examination and relevance are maximised in turn, each exactly
//! (one concave equation per parameter); a test runs plain EM to the same point. No SQL here.

use crate::util::cancel::{Cancel, Cancelled};

/// The fit ends when no position's log examination moves by more than this.
pub const TOLERANCE: f64 = 1e-9;
/// ... or after this many rounds, which the reader is told.
const ROUNDS: u32 = 5_000;
/// More positions than any page has; the comparison of positions is a table of their pairs.
pub(super) const MOST_POSITIONS: usize = 2_000;

/// One (query, item) pair at one position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Numbered from 0; cells come in ascending order of it.
    pub pair: u32,
    /// Numbered from 0.
    pub position: u32,
    pub shown: f64,
    /// At most `shown`.
    pub clicks: f64,
}

/// What a fit found.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionModel {
    /// Per position, within (0, 1], 1 for the most looked at; NaN where the counts cannot tell.
    pub examination: Vec<f64>,
    /// Positions that the counts compare with each other, each class once, those of `examination` first.
    pub classes: Vec<Vec<u32>>,
    pub rounds: u32,
    /// Did the fit settle within [`TOLERANCE`]?
    pub settled: bool,
}

/// Fits examination to the counts. `weight` says per position how many rows stand there: of several
/// classes of positions that cannot be compared, the one with most rows is fitted.
///
/// Two positions can be compared where chains of pairs seen at both lead from one to the other and
/// back, each step to a position at which the pair was clicked (Ford's condition, 1957: without it the
/// likelihood has no maximum inside). Only the product of examination and relevance is identified, so
/// the largest examination is set to 1. Relevances are not held below 1. Deterministic.
pub fn fit(
    cells: &[Cell],
    pairs: usize,
    weight: &[f64],
    cancel: &Cancel,
) -> Result<PositionModel, Cancelled> {
    let positions = weight.len();
    let mut classes = comparable(cells, positions);
    let rows = |class: &Vec<u32>| -> f64 { class.iter().filter_map(|&p| weight.get(p as usize)).sum() };
    // Larger classes first, then those with more rows; the first is fitted.
    classes.sort_by(|a, b| (b.len() > 1).cmp(&(a.len() > 1)).then(rows(b).total_cmp(&rows(a))));
    let mut model =
        PositionModel { examination: vec![f64::NAN; positions], classes, rounds: 0, settled: true };
    let Some(class) = model.classes.first().filter(|class| class.len() > 1) else { return Ok(model) };
    let mut inside = vec![false; positions];
    class.iter().for_each(|&p| inside.iter_mut().skip(p as usize).take(1).for_each(|flag| *flag = true));
    let kept: Vec<Cell> =
        cells.iter().filter(|cell| inside.get(cell.position as usize) == Some(&true)).copied().collect();
    let mut turns = Turns::new(&kept, pairs, positions);
    model.settled = false;
    while model.rounds < ROUNDS && !model.settled {
        cancel.check()?;
        model.rounds += 1;
        model.settled = turns.round() <= TOLERANCE;
    }
    let top = class.iter().map(|&p| turns.of(p)).fold(0.0, f64::max);
    for &p in class {
        if let Some(slot) = model.examination.get_mut(p as usize) {
            *slot = turns.of(p) / top;
        }
    }
    Ok(model)
}

/// Maximises relevance given examination and the other way round.
struct Turns<'c> {
    cells: &'c [Cell],
    /// Cells in order of their position.
    by_position: Vec<Cell>,
    examination: Vec<f64>,
    relevance: Vec<f64>,
}

impl<'c> Turns<'c> {
    fn new(cells: &'c [Cell], pairs: usize, positions: usize) -> Self {
        let mut by_position = cells.to_vec();
        by_position.sort_by_key(|cell| cell.position);
        Self { cells, by_position, examination: vec![1.0; positions], relevance: vec![f64::NAN; pairs] }
    }

    fn of(&self, position: u32) -> f64 {
        self.examination.get(position as usize).copied().unwrap_or(f64::NAN)
    }

    /// One turn each; the largest change of a log examination.
    fn round(&mut self) -> f64 {
        for run in self.cells.chunk_by(|a, b| a.pair == b.pair) {
            let Some(pair) = run.first().map(|cell| cell.pair as usize) else { continue };
            let before = self.relevance.get(pair).copied().unwrap_or(f64::NAN);
            let found = factor(run, |cell| self.of(cell.position), before);
            if let Some(slot) = self.relevance.get_mut(pair) {
                *slot = found;
            }
        }
        let mut moved = 0.0_f64;
        for run in self.by_position.chunk_by(|a, b| a.position == b.position) {
            let Some(position) = run.first().map(|cell| cell.position) else { continue };
            let before = self.of(position);
            let relevance = |cell: &Cell| self.relevance.get(cell.pair as usize).copied().unwrap_or(0.0);
            let found = factor(run, relevance, before);
            if let Some(slot) = self.examination.get_mut(position as usize) {
                *slot = found;
            }
            moved = moved.max((found / before).ln().abs());
        }
        moved
    }
}

/// The x that maximises sum of clicks ln(x f) + (shown - clicks) ln(1 - x f) over cells with factor f:
/// the root of clicks = sum (shown - clicks) x f / (1 - x f), whose right side rises from 0 to infinity.
fn factor(cells: &[Cell], other: impl Fn(&Cell) -> f64, start: f64) -> f64 {
    let (mut clicks, mut expected, mut steepest) = (0.0, 0.0, 0.0_f64);
    for cell in cells {
        let f = other(cell);
        clicks += cell.clicks;
        expected += cell.shown * f;
        if cell.shown > cell.clicks {
            steepest = steepest.max(f);
        }
    }
    if clicks <= 0.0 || expected <= 0.0 {
        return 0.0;
    }
    if steepest <= 0.0 {
        // Clicked whenever shown: as large as a probability allows.
        return 1.0 / cells.iter().map(&other).fold(f64::MIN_POSITIVE, f64::max);
    }
    let (mut low, mut high) = (0.0, 1.0 / steepest);
    let guess = if start.is_finite() { start } else { clicks / expected };
    let mut x = if guess > low && guess < high { guess } else { high / 2.0 };
    for _ in 0..100 {
        let (mut value, mut slope) = (clicks, 0.0);
        for cell in cells {
            let f = other(cell);
            let missed = cell.shown - cell.clicks;
            let rest = 1.0 - x * f;
            if missed > 0.0 {
                value -= missed * x * f / rest;
                slope -= missed * f / (rest * rest);
            }
        }
        if value > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - value / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-14 * x {
            break;
        }
    }
    x
}

/// Classes of positions that the cells compare, by reachability: from a position where a pair was
/// shown to every position where that pair was clicked. Positions without a cell are in none.
fn comparable(cells: &[Cell], positions: usize) -> Vec<Vec<u32>> {
    let words = positions.div_ceil(64);
    let mut reach = vec![vec![0u64; words]; positions];
    let mut seen = vec![false; positions];
    let mut clicked = vec![0u64; words];
    for run in cells.chunk_by(|a, b| a.pair == b.pair) {
        clicked.fill(0);
        for cell in run.iter().filter(|cell| cell.clicks > 0.0) {
            set(&mut clicked, cell.position as usize);
        }
        for cell in run {
            if let (Some(row), Some(seen)) =
                (reach.get_mut(cell.position as usize), seen.get_mut(cell.position as usize))
            {
                row.iter_mut().zip(&clicked).for_each(|(row, word)| *row |= word);
                *seen = true;
            }
        }
    }
    for middle in 0..positions {
        let through = reach.get(middle).cloned().unwrap_or_default();
        for row in reach.iter_mut().filter(|row| has(row, middle)) {
            row.iter_mut().zip(&through).for_each(|(row, word)| *row |= word);
        }
    }
    let mutual = |a: usize, b: usize| {
        reach.get(a).is_some_and(|row| has(row, b)) && reach.get(b).is_some_and(|row| has(row, a))
    };
    let mut classes: Vec<Vec<u32>> = Vec::new();
    for position in (0..positions).filter(|&p| seen.get(p) == Some(&true)) {
        let home = classes
            .iter_mut()
            .find(|class| class.first().is_some_and(|&first| mutual(first as usize, position)));
        match home {
            Some(class) => class.push(position as u32),
            None => classes.push(vec![position as u32]),
        }
    }
    classes
}

fn set(words: &mut [u64], bit: usize) {
    if let Some(word) = words.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

fn has(words: &[u64], bit: usize) -> bool {
    words.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::Random;

    fn cell(pair: u32, position: u32, shown: f64, clicks: f64) -> Cell {
        Cell { pair, position, shown, clicks }
    }

    fn planted(examination: &[f64], pairs: u32, shown: f64, seed: u64) -> Vec<Cell> {
        let mut random = Random::new(seed);
        let mut cells = Vec::new();
        for pair in 0..pairs {
            let relevance = 0.05 + 0.6 * random.uniform();
            for (position, look) in examination.iter().enumerate() {
                let clicks = (0..shown as u32).filter(|_| random.uniform() < look * relevance).count();
                cells.push(cell(pair, position as u32, shown, clicks as f64));
            }
        }
        cells
    }

    /// Expectation-maximisation as textbooks have it (Chuklin et al. 2015, §4.2), many steps.
    fn em(cells: &[Cell], pairs: usize, positions: usize, steps: usize) -> Vec<f64> {
        let (mut look, mut like) = (vec![0.5; positions], vec![0.5; pairs]);
        for _ in 0..steps {
            let mut sums = (vec![(0.0, 0.0); positions], vec![(0.0, 0.0); pairs]);
            for c in cells {
                let (t, g) = (look[c.position as usize], like[c.pair as usize]);
                let missed = c.shown - c.clicks;
                let (looked, liked) = ((1.0 - g) * t / (1.0 - t * g), (1.0 - t) * g / (1.0 - t * g));
                let of = &mut sums.0[c.position as usize];
                *of = (of.0 + c.clicks + missed * looked, of.1 + c.shown);
                let of = &mut sums.1[c.pair as usize];
                *of = (of.0 + c.clicks + missed * liked, of.1 + c.shown);
            }
            look = sums.0.iter().map(|(a, b)| a / b).collect();
            like = sums.1.iter().map(|(a, b)| a / b).collect();
        }
        let top = look.iter().copied().fold(0.0, f64::max);
        look.iter().map(|look| look / top).collect()
    }

    #[test]
    fn a_planted_curve_is_found_and_it_is_the_point_that_em_climbs_to() {
        let truth = [1.0, 0.7, 0.45, 0.3, 0.1];
        let cells = planted(&truth, 400, 60.0, 7);
        let model = fit(&cells, 400, &[1.0; 5], &Cancel::new()).unwrap();
        assert!(model.settled && model.rounds < 100, "{}", model.rounds);
        for (found, truth) in model.examination.iter().zip(truth) {
            assert!((found / truth - 1.0).abs() < 0.05, "{found} {truth}");
        }
        let climbed = em(&cells, 400, 5, 4_000);
        for (found, climbed) in model.examination.iter().zip(climbed) {
            assert!((found - climbed).abs() < 1e-6, "{found} {climbed}");
        }
    }

    #[test]
    fn two_positions_have_a_closed_answer() {
        // One pair, no limit in reach: relevance and examination are the click rates themselves.
        let model =
            fit(&[cell(0, 0, 1e3, 100.0), cell(0, 1, 500.0, 20.0)], 1, &[1.0; 2], &Cancel::new()).unwrap();
        assert!((model.examination[1] - 0.4).abs() < 1e-8, "{:?}", model.examination);
    }

    #[test]
    fn what_the_counts_cannot_compare_is_told() {
        // 0 and 1 share a pair, 2 and 3 another; 4 is never clicked; 5 has no cell.
        let cells = [
            cell(0, 0, 10.0, 3.0),
            cell(0, 1, 10.0, 2.0),
            cell(0, 4, 10.0, 0.0),
            cell(1, 2, 10.0, 1.0),
            cell(1, 3, 10.0, 4.0),
        ];
        let weight = [10.0, 10.0, 50.0, 10.0, 1e6, 1e6];
        let model = fit(&cells, 2, &weight, &Cancel::new()).unwrap();
        assert_eq!(model.classes, [vec![2, 3], vec![0, 1], vec![4]]);
        assert!((model.examination[2] - 0.25).abs() < 1e-8 && model.examination[3] == 1.0);
        assert!([0, 1, 4, 5].iter().all(|&p: &usize| model.examination[p].is_nan()));
        // Clicks of each pair on one side only: the ratio has no maximum.
        let lopsided =
            [cell(0, 0, 9.0, 2.0), cell(0, 1, 9.0, 0.0), cell(1, 1, 9.0, 1.0), cell(1, 2, 9.0, 1.0)];
        let model = fit(&lopsided, 2, &[1.0; 3], &Cancel::new()).unwrap();
        assert_eq!(model.classes[0], [1, 2]);
        let nothing = fit(&[], 0, &[], &Cancel::new()).unwrap();
        assert!(nothing.classes.is_empty() && nothing.settled);
    }

    #[test]
    fn items_clicked_whenever_shown_do_no_harm() {
        let cells = [cell(0, 0, 5.0, 5.0), cell(0, 1, 5.0, 5.0), cell(1, 0, 8.0, 4.0), cell(1, 1, 8.0, 2.0)];
        let model = fit(&cells, 2, &[1.0; 2], &Cancel::new()).unwrap();
        assert!(model.examination.iter().all(|look| *look > 0.0 && *look <= 1.0), "{model:?}");
    }
}

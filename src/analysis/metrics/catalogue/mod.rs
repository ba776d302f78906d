//! METRICS: every metric describes itself, with a worked example that a test runs. This one table
//! drives parsing, help, `recscope docs metrics`, the choice of SQL, and tests. One file per family;
//! no arithmetic here.

mod examples;
mod logged;
mod ranking;
mod rows;
mod seed;
mod shown;

use super::metric::Metric;

/// The families in the order of the docs. `precision`, `recall` and `f1` exist twice: with a cut-off
/// they rank (`precision@10`), without one they classify rows at probability 0.5.
const FAMILIES: &[&[Metric]] =
    &[ranking::RANKING, rows::ROWS, logged::LOGGED, shown::SHOWN_ITEMS, seed::SEED_FORMS];

/// Every metric, in the order of the docs.
pub const METRICS: &[Metric] = &joined::<{ count(FAMILIES) }>(FAMILIES);

const fn count(families: &[&[Metric]]) -> usize {
    let (mut family, mut sum) = (0, 0);
    while family < families.len() {
        sum += families[family].len();
        family += 1;
    }
    sum
}

const fn joined<const N: usize>(families: &[&[Metric]]) -> [Metric; N] {
    let mut all = [families[0][0]; N];
    let (mut family, mut at) = (0, 0);
    while family < families.len() {
        let mut index = 0;
        while index < families[family].len() {
            all[at] = families[family][index];
            index += 1;
            at += 1;
        }
        family += 1;
    }
    all
}

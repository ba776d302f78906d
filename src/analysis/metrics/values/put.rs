//! Lists that were measured anew put in the place of what was known of them; new ones are added.

use super::{ByList, Parts, Values};
use crate::analysis::stats::Ratio;

impl Values {
    /// Puts the `i`-th list of `fresh` in as number `at[i]`; there are `lists` lists then. False, and
    /// nothing is changed, for unlike metrics and for those of a whole relation.
    pub fn put(&mut self, fresh: &Self, at: &[u32], lists: usize) -> bool {
        match (&mut self.parts, &fresh.parts) {
            (Parts::Ratio(known), Parts::Ratio(fresh)) => ratio(known, fresh, at, lists),
            (Parts::Shaped(known, shape), Parts::Shaped(fresh, same)) if shape == same => {
                ratio(known, fresh, at, lists);
            }
            (Parts::Scores(known), Parts::Scores(fresh)) => *known = known.with(fresh, at, lists),
            (Parts::Precision(known), Parts::Precision(fresh)) => *known = known.with(fresh, at, lists),
            _ => return false,
        }
        put(&mut self.missing, &fresh.missing, at, lists);
        put(&mut self.support, &fresh.support, at, lists);
        true
    }
}

fn ratio(known: &mut Ratio, fresh: &Ratio, at: &[u32], lists: usize) {
    put(&mut known.numerator, &fresh.numerator, at, lists);
    put(&mut known.denominator, &fresh.denominator, at, lists);
}

fn put(known: &mut Vec<f64>, fresh: &[f64], at: &[u32], lists: usize) {
    known.resize(lists, 0.0);
    for (&at, &value) in at.iter().zip(fresh) {
        if let Some(slot) = known.get_mut(at as usize) {
            *slot = value;
        }
    }
}

impl<T: Clone> ByList<T> {
    /// These lists, with those of `fresh` in the places `at`.
    fn with(&self, fresh: &Self, at: &[u32], lists: usize) -> Self {
        let mut from = vec![None; lists];
        for (number, &at) in at.iter().enumerate() {
            if let Some(slot) = from.get_mut(at as usize) {
                *slot = Some(number);
            }
        }
        let mut all = Self { starts: Vec::with_capacity(lists + 1), cells: Vec::with_capacity(self.len()) };
        all.starts.push(0);
        for (list, fresh_list) in from.iter().enumerate() {
            let cells = fresh_list.map_or_else(|| self.of(list), |number| fresh.of(number));
            all.cells.extend_from_slice(cells);
            all.starts.push(all.cells.len());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_replaced_or_added() {
        let lists = |cells: &[(u32, f64)]| {
            let list: Vec<u32> = cells.iter().map(|cell| cell.0).collect();
            let rows = cells.iter().map(|cell| (cell.1, cell.1 > 0.5)).collect();
            ByList::new(list.iter().max().map_or(0, |&last| last as usize + 1), &list, rows)
        };
        let of = |rows| Values { parts: Parts::Scores(rows), missing: vec![0.0; 2], support: vec![1.0; 2] };
        let mut known = of(lists(&[(0, 0.1), (0, 0.2), (1, 0.3)]));
        let fresh = Values { missing: vec![5.0, 6.0], ..of(lists(&[(0, 0.7), (1, 0.8), (1, 0.9)])) };
        assert!(known.put(&fresh, &[2, 0], 3));
        let Parts::Scores(rows) = &known.parts else { panic!("scores stay scores") };
        let scores = |list| rows.of(list).iter().map(|cell| cell.0).collect::<Vec<_>>();
        assert_eq!((scores(0), scores(1), scores(2)), (vec![0.8, 0.9], vec![0.3], vec![0.7]));
        assert_eq!((known.missing, known.support), (vec![6.0, 0.0, 5.0], vec![1.0; 3]));
        let mean = Values {
            parts: Parts::Ratio(Ratio::mean(vec![0.5, f64::NAN])),
            missing: vec![0.0, 1.0],
            support: vec![1.0, 0.0],
        };
        let mut all = mean.clone();
        assert!(!all.put(&fresh, &[0, 1], 2) && all == mean, "unlike metrics");
        assert!(all.put(&mean, &[1, 2], 3));
        assert_eq!(all.missing, [0.0, 0.0, 1.0]);
    }
}

//! What a permutation may exchange. Labels must be shuffled over the things that carry them: a
//! region belongs to a user, a supplier to an item. Shuffling rows instead would treat a user's
//! hundred impressions as a hundred witnesses.

use crate::analysis::Bindings;
use crate::analysis::metrics::columns::one;
use crate::analysis::metrics::prepared::{Lists, Prepared};
use crate::analysis::metrics::{AnalysisError, Level, MetricId, Rows};
use crate::analysis::stats::Strata;

/// The first of these in which the slice is constant; lists where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// Each user is in one group (checked first: it is the coarser thing where queries are sessions).
    Users,
    /// Each query is in one group.
    Queries,
    /// Each item is in one group and belongs to one query: items trade places within it.
    ItemsInQuery,
    /// Each item is in one group; for metrics over rows.
    Items,
    /// Lists (rows of one query in one group) trade places within their query.
    Lists,
}

/// Finds what the slice describes.
pub(crate) fn exchange(
    prepared: &mut Prepared<'_>,
    rows: &Rows,
    id: &MetricId,
) -> Result<Exchange, AnalysisError> {
    let lists = &prepared.lists;
    // A user with one query is that query; only repeated users make a difference.
    if rows.roles.user.is_some() && constant(&lists.user, &lists.group) {
        return Ok(Exchange::Users);
    }
    if rows.roles.query.is_some() && constant(&lists.query, &lists.group) {
        return Ok(Exchange::Queries);
    }
    if id.metric.level == Level::Row && rows.roles.item.is_some() {
        let batch = prepared.rows("fairness/item_groups", &Bindings::new())?;
        if one(&batch, "split")? == 0.0 {
            let alone = rows.roles.query.is_some() && one(&batch, "spread")? == 0.0;
            return Ok(if alone { Exchange::ItemsInQuery } else { Exchange::Items });
        }
    }
    Ok(if rows.roles.query.is_some() { Exchange::Lists } else { Exchange::Queries })
}

/// Does every owner keep to one group?
fn constant(owner: &[u32], group: &[u32]) -> bool {
    let mut seen: Vec<Option<u32>> = vec![None; owner.iter().max().map_or(0, |&last| last as usize + 1)];
    owner.iter().zip(group).all(|(&owner, &group)| match seen.get_mut(owner as usize) {
        Some(slot) => *slot.get_or_insert(group) == group,
        None => true,
    })
}

impl Exchange {
    /// The unit of each list, the group of each unit, and which units may trade places.
    pub fn units(self, lists: &Lists) -> (Vec<u32>, Vec<u32>, Strata) {
        let owner = match self {
            Self::Users => &lists.user,
            // By item, the lists were made with the item in the query's place.
            Self::Queries | Self::Items | Self::ItemsInQuery => &lists.query,
            Self::Lists => {
                let unit = (0..lists.group.len() as u32).collect();
                return (unit, lists.group.clone(), Strata::Within(lists.query.clone()));
            }
        };
        let mut home = Vec::new();
        let mut labels = vec![0; owner.iter().max().map_or(0, |&last| last as usize + 1)];
        for (&owner, &group) in owner.iter().zip(&lists.group) {
            if let Some(label) = labels.get_mut(owner as usize) {
                *label = group;
            }
        }
        if self == Self::ItemsInQuery {
            // There, the query stands in the user's place.
            home = vec![0; labels.len()];
            for (&item, &query) in lists.query.iter().zip(&lists.user) {
                if let Some(slot) = home.get_mut(item as usize) {
                    *slot = query;
                }
            }
        }
        let strata = if home.is_empty() { Strata::Free } else { Strata::Within(home) };
        (owner.clone(), labels, strata)
    }

    /// Whose rows are one witness, per list: what an interval resamples.
    pub fn clusters(self, lists: &Lists) -> &[u32] {
        if self == Self::Users { &lists.user } else { &lists.query }
    }

    pub fn explain(self) -> &'static str {
        match self {
            Self::Users => "p from permuting groups over users",
            Self::Queries => "p from permuting groups over queries",
            Self::ItemsInQuery => "p from permuting groups over items within each query",
            Self::Items => "p from permuting groups over items",
            Self::Lists => "p from permuting groups over lists within each query",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_means_one_group_each() {
        assert!(constant(&[0, 0, 1, 2], &[5, 5, 6, 5]));
        assert!(!constant(&[0, 1, 0], &[5, 6, 6]));
        assert!(constant(&[], &[]));
    }
}

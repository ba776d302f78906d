//! Which list of a run answers which list of the baseline: same query, same user, same group.

use std::collections::HashMap;

use super::measured::Measured;

/// The lists of one group that both runs have, and how many only one has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct GroupPairs {
    /// Values of the `by` columns.
    pub group: Vec<Option<String>>,
    /// List numbers in the baseline and in the run, in the baseline's order: lists of a query are
    /// neighbours.
    pub pairs: Vec<(u32, u32)>,
    /// The query of each pair, numbered from 0 within the group.
    pub unit: Vec<u32>,
    pub units: usize,
    pub only_baseline: u64,
    pub only_run: u64,
}

/// Pairs of every group, in the baseline's order of groups; groups that only the run has come last.
pub(super) fn pair(baseline: &Measured, run: &Measured) -> Vec<GroupPairs> {
    let mut groups: Vec<GroupPairs> = Vec::new();
    for name in &baseline.lists.groups {
        groups.push(GroupPairs { group: name.clone(), ..GroupPairs::default() });
    }
    let mut partner: HashMap<_, u32> =
        (0..run.queries.len()).map(|list| (run.key(list), list as u32)).collect();
    let mut before: Vec<Option<u32>> = vec![None; groups.len()];
    for (list, (&group, &query)) in baseline.lists.group.iter().zip(&baseline.lists.query).enumerate() {
        let (Some(found), Some(before)) = (groups.get_mut(group as usize), before.get_mut(group as usize))
        else {
            continue;
        };
        let Some(other) = partner.remove(&baseline.key(list)) else {
            found.only_baseline += 1;
            continue;
        };
        if *before != Some(query) {
            *before = Some(query);
            found.units += 1;
        }
        found.pairs.push((list as u32, other));
        found.unit.push(found.units as u32 - 1);
    }
    let mut names: HashMap<Vec<Option<String>>, usize> =
        groups.iter().enumerate().map(|(at, found)| (found.group.clone(), at)).collect();
    let mut alone: Vec<u32> = partner.into_values().collect();
    alone.sort_unstable();
    for list in alone {
        let name = run.group(list as usize);
        let at = names.get(name).copied().unwrap_or_else(|| {
            names.insert(name.to_vec(), groups.len());
            groups.push(GroupPairs { group: name.to_vec(), ..GroupPairs::default() });
            groups.len() - 1
        });
        if let Some(found) = groups.get_mut(at) {
            found.only_run += 1;
        }
    }
    groups
}

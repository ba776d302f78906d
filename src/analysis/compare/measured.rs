//! One run, measured: every metric list by list, and what the lists are matched by.

use super::request::Run;
use crate::analysis::metrics::columns::{one, texts};
use crate::analysis::metrics::evaluate::{keeps, notes};
use crate::analysis::metrics::prepared::{Lists, Prepared};
use crate::analysis::metrics::roles::Unit;
use crate::analysis::metrics::values::{Values, measure};
use crate::analysis::metrics::{AnalysisError, Empty, MetricId};
use crate::analysis::{Bindings, Queries};
use crate::util::cancel::Cancel;

pub(super) struct Measured {
    pub lists: Lists,
    /// Query and user of each list.
    pub queries: Vec<Option<String>>,
    pub users: Vec<Option<String>>,
    /// As many as metrics.
    pub values: Vec<Values>,
    /// Lists of which nothing was retrieved.
    pub unranked: u64,
    pub notes: Vec<String>,
}

impl Measured {
    pub fn new(
        queries: &mut dyn Queries,
        run: &Run,
        by: &[String],
        ids: &[MetricId],
        empty: Empty,
        cancel: &Cancel,
    ) -> Result<Self, AnalysisError> {
        let mut prepared = Prepared::new(queries, &run.rows, by, Unit::Query, keeps(ids))?;
        let mut values = Vec::with_capacity(ids.len());
        for id in ids {
            cancel.check()?;
            values.push(measure(&mut prepared, id, empty)?);
        }
        let notes = notes(&prepared.facts, ids, &run.rows);
        let keys = prepared.rows("compare/list_keys", &Bindings::new())?;
        let unranked = one(&prepared.rows("compare/unranked", &Bindings::new())?, "lists")? as u64;
        Ok(Self {
            queries: texts(&keys, "query")?,
            users: texts(&keys, "user")?,
            lists: prepared.lists,
            values,
            unranked,
            notes,
        })
    }

    /// Query, user and group of a list, as texts.
    pub fn key(&self, list: usize) -> (Option<&str>, Option<&str>, &[Option<String>]) {
        let query = self.queries.get(list).and_then(Option::as_deref);
        let user = self.users.get(list).and_then(Option::as_deref);
        (query, user, self.group(list))
    }

    /// The values of the group columns of a list.
    pub fn group(&self, list: usize) -> &[Option<String>] {
        let group = self.lists.group.get(list).map_or(0, |&group| group as usize);
        self.lists.groups.get(group).map(Vec::as_slice).unwrap_or_default()
    }
}

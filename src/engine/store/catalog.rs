//! Where names lead, remembered: asking the database's own catalog costs a look at every relation there
//! is, and a chain of a thousand cells asks a thousand times. Who makes, fills or drops a relation says
//! so here; nothing here asks the database.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::relations::Found;
use super::{CELLS, RelationKind, quote_ident};

/// Shared by all connections of an instance.
#[derive(Debug, Default)]
pub(crate) struct Catalog(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By name in lower case.
    found: HashMap<String, Found>,
    /// Relations made, filled or dropped so far.
    changes: u64,
}

/// Numbers of our own for versions of relations; the database's are small.
const OURS: u64 = 1 << 63;

impl Catalog {
    pub fn get(&self, name: &str) -> Option<Found> {
        self.0.lock().found.get(&name.to_lowercase()).cloned()
    }

    /// To be taken before the database is asked, for [`Catalog::learn`].
    pub fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// What the database said, unless something has changed since it was asked.
    pub fn learn(&self, found: &Found, changes: u64) {
        let mut known = self.0.lock();
        if known.changes == changes {
            known.found.insert(found.name.to_lowercase(), found.clone());
        }
    }

    /// A cell's table was made, or replaced, with so many rows.
    pub fn made(&self, name: &str, rows: u64) -> Found {
        let mut known = self.0.lock();
        known.changes += 1;
        let found = Found {
            name: name.to_owned(),
            kind: RelationKind::Cell,
            path: format!("{}.main.{}", quote_ident(CELLS), quote_ident(name)),
            table: true,
            counted: true,
            rows: Some(rows),
            oid: OURS | known.changes,
        };
        known.found.insert(name.to_lowercase(), found.clone());
        found
    }

    /// A relation of that name was made, filled or dropped: it must be asked for again.
    pub fn forget(&self, name: &str) {
        let mut known = self.0.lock();
        known.changes += 1;
        known.found.remove(&name.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_a_change_is_not_learnt_after_it() {
        let catalog = Catalog::default();
        let asked = catalog.changes();
        let old = catalog.made("Rel", 3);
        catalog.learn(&Found { rows: Some(2), ..old.clone() }, asked);
        assert_eq!(catalog.get("rel").unwrap().rows, Some(3));
        let newer = catalog.made("rel", 3);
        assert!(newer.oid != old.oid, "another version");
        catalog.forget("REL");
        assert_eq!(catalog.get("rel"), None);
        catalog.learn(&newer, catalog.changes());
        assert_eq!(catalog.get("rel"), Some(newer));
    }
}

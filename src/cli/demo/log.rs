//! The generated log: which statements make it, in which order, and which faults are planted.
//! What must not be here: SQL (it is in `queries/demo/`) and anything random.

use std::path::Path;

use crate::engine::store::{Connection, Result, Store, StoreOptions};
use crate::terms::Bindings;
use crate::util::cancel::Cancel;

/// What is planted. `queries/notebooks/demo-answers.md` tells what each fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// One region reads "running shoes" as "hiking boots".
    pub synonym: bool,
    /// One supplier loses ranking points whatever it sells.
    pub buried: bool,
    /// Some titles list other categories' names.
    pub stuffing: bool,
}

impl Faults {
    pub const ALL: Faults = Faults { synonym: true, buried: true, stuffing: true };
    pub const NONE: Faults = Faults { synonym: false, buried: false, stuffing: false };
    pub const NAMES: [&'static str; 3] = ["synonym", "buried", "stuffing"];

    /// Takes one fault out by name; `None` for an unknown name.
    pub fn without(mut self, name: &str) -> Option<Self> {
        match name {
            "synonym" => self.synonym = false,
            "buried" => self.buried = false,
            "stuffing" => self.stuffing = false,
            _ => return None,
        }
        Some(self)
    }
}

/// Ten impressions each.
pub const SEARCHES: i64 = 22_000;
/// Fixed, so that everybody sees the same log.
pub const SEED: i64 = 7;

/// Writes `impressions.parquet` and `judgments.parquet` into `dir`.
pub fn write_log(dir: &Path, faults: Faults, searches: i64, seed: i64, cancel: &Cancel) -> Result<()> {
    let db = shop(faults, seed, cancel)?;
    let fill = Bindings::new().value("searches", searches);
    db.registered_run("demo/impressions", &fill, cancel)?;
    write(&db, "demo_impressions", &dir.join("impressions.parquet"), cancel)?;
    write(&db, "demo_judgments", &dir.join("judgments.parquet"), cancel)
}

/// Users, products, queries, judgments and the engine's lists, as temporary tables.
pub(super) fn shop(faults: Faults, seed: i64, cancel: &Cancel) -> Result<Connection> {
    let db = Store::open(&StoreOptions::default())?.connect()?;
    let fill = Bindings::new()
        .value("seed", seed)
        .value("synonym", i64::from(faults.synonym))
        .value("buried", i64::from(faults.buried))
        .value("stuffing", i64::from(faults.stuffing));
    for name in ["seed", "random", "users", "categories", "items", "searches", "judgments", "lists"] {
        db.registered_run(&format!("demo/{name}"), &fill, cancel)?;
    }
    Ok(db)
}

/// A shop without faults with the table `demo_judged(query, title, grade)`: rows to measure models on.
pub fn judged_shop(cancel: &Cancel) -> Result<Connection> {
    let db = shop(Faults::NONE, SEED, cancel)?;
    db.registered_run("demo/judged", &Bindings::new(), cancel)?;
    Ok(db)
}

pub(super) fn write(db: &Connection, relation: &str, path: &Path, cancel: &Cancel) -> Result<()> {
    let fill = Bindings::new().ident("rel", relation).value("path", path.to_string_lossy().as_ref());
    db.registered_run("demo/write", &fill, cancel).map(|_| ())
}

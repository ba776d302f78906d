//! A model from another folder of this machine: only the files that are read, checked, under a name.

use std::fs::File;
use std::path::Path;

use super::listing::{Entry, Plan, Sum, limit};
use super::staging::Staging;
use super::{PullError, Pulled, Step, Work, finish};
use crate::engine::model::parts_on_disk;

/// Copies a folder's model.
pub(super) fn pull(folder: &Path, target: &Path, work: &mut Work) -> Result<Pulled, PullError> {
    let told = folder.display().to_string();
    let entries = std::fs::read_dir(folder).map_err(|error| PullError::read(folder, &error))?;
    let all: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let known = parts_on_disk(folder)?;
    let mut entries: Vec<Entry> = known
        .iter()
        .map(|(path, _, bytes)| Entry { path: path.clone(), bytes: Some(*bytes), sum: Sum::None })
        .collect();
    // What is not read, so that a folder with a pickle alone is told as such.
    let others = all.into_iter().filter(|name| !known.iter().any(|(path, _, _)| path == name));
    let others = others.filter(|name| folder.join(name).is_file());
    entries.extend(others.map(|path| Entry { path, bytes: None, sum: Sum::None }));
    let plan = Plan::of(&told, entries)?;
    let staging = Staging::open(target, None)?;
    (work.tell)(Step::Found { files: plan.len(), bytes: plan.bytes(), left_out: plan.left_out });
    let copied = copy(folder, &plan, &staging, work);
    match copied {
        Ok(()) => finish(staging, &plan, &told, None),
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

fn copy(folder: &Path, plan: &Plan, staging: &Staging, work: &mut Work) -> Result<(), PullError> {
    let mut done = 0;
    for (entry, small) in plan.each() {
        let from = folder.join(&entry.path);
        let mut file = File::open(&from).map_err(|error| PullError::read(&from, &error))?;
        (work.tell)(Step::Begin { name: entry.path.clone(), bytes: entry.bytes });
        done += staging.fill(&entry.path, &mut file, limit(small, None), done, work)?;
    }
    Ok(())
}

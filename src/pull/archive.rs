//! A model from a local archive, read twice: once for what is in it, once for what is wanted of it.
//! Which bytes an archive has is `unpack.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use super::listing::{Entry, MAX_FILES, Plan, Sum, limit};
use super::staging::Staging;
use super::unpack::Archive;
use super::{PullError, Pulled, Step, Work, finish};
use crate::engine::model::{CONFIG, is_pickle, pickle_error};
use crate::util::sanitise;

/// Unpacks an archive's model.
pub(super) fn pull(file: &Path, target: &Path, work: &mut Work) -> Result<Pulled, PullError> {
    if file.to_str().is_some_and(is_pickle) {
        return Err(pickle_error(file).into());
    }
    let told = file.display().to_string();
    let archive = Archive::open(file)?;
    let mut entries = Vec::new();
    archive.each(work.cancel, &mut |path, bytes, _| {
        if entries.len() >= MAX_FILES {
            return Err(PullError::data(format!("{told} holds more than {MAX_FILES} files"))
                .hint("pack the model's folder alone"));
        }
        entries.push(Entry { path, bytes: Some(bytes), sum: Sum::None });
        Ok(())
    })?;
    let root = root(&told, &entries)?;
    let below = |entry: Entry| Some(Entry { path: entry.path.strip_prefix(&root)?.to_owned(), ..entry });
    let plan = Plan::of(&told, entries.into_iter().filter_map(below).collect())?;
    let staging = Staging::open(target, None)?;
    (work.tell)(Step::Found { files: plan.len(), bytes: plan.bytes(), left_out: plan.left_out });
    match unpack(&archive, &root, &plan, &staging, work) {
        Ok(()) => finish(staging, &plan, &told, None),
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

fn unpack(
    archive: &Archive,
    root: &str,
    plan: &Plan,
    staging: &Staging,
    work: &mut Work,
) -> Result<(), PullError> {
    let mut wanted: BTreeMap<String, bool> =
        plan.each().map(|(entry, small)| (format!("{root}{}", entry.path), small)).collect();
    let mut done = 0;
    archive.each(work.cancel, &mut |path, bytes, content| {
        // Named twice, the first counts: a second one could only be meant to deceive.
        let Some(small) = wanted.remove(&path) else { return Ok(()) };
        let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
        (work.tell)(Step::Begin { name: name.clone(), bytes: Some(bytes) });
        done += staging.fill(&name, content, limit(small, None), done, work)?;
        Ok(())
    })
}

/// The folder of the archive that holds the model, with its `/`; empty for the archive's top.
fn root(told: &str, entries: &[Entry]) -> Result<String, PullError> {
    let folder = |path: &str| path.strip_suffix(CONFIG).map(str::to_owned);
    let folders = entries.iter().filter_map(|entry| folder(&entry.path));
    let mut folders: Vec<String> = folders.filter(|f| f.is_empty() || f.ends_with('/')).collect();
    // Poolings have a config.json of their own, one level deeper.
    let depth = |folder: &String| folder.matches('/').count();
    let top = folders.iter().map(depth).min().unwrap_or(0);
    folders.retain(|folder| depth(folder) == top);
    match folders.as_slice() {
        [one] => Ok(one.clone()),
        [] => Ok(String::new()),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(5)
                .map(|name| sanitise::excerpt(name.trim_end_matches('/'), 80))
                .collect();
            let what = format!("{} holds several models: {}", sanitise::excerpt(told, 200), names.join(", "));
            Err(PullError::usage(what).hint("unpack it, and pull the folder of one of them"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(paths: &[&str]) -> Result<String, PullError> {
        let entry = |path: &&str| Entry { path: (*path).into(), bytes: None, sum: Sum::None };
        root("x.zip", &paths.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn the_models_folder_is_found_at_any_depth() {
        assert_eq!(root_of(&["config.json", "1_Pooling/config.json"]).unwrap(), "");
        assert_eq!(root_of(&["m/config.json", "m/1_Pooling/config.json"]).unwrap(), "m/");
        assert_eq!(root_of(&["a/b/config.json", "a/b/x"]).unwrap(), "a/b/");
        assert_eq!(root_of(&["a/adapter_config.json"]).unwrap(), "");
        assert!(root_of(&["a/config.json", "b/config.json"]).unwrap_err().message.contains("a, b"));
    }
}

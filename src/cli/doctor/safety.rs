//! What keeps other people's notebooks in bounds: the state folder, the list of trusted folders, and the
//! operating system's part.

use super::Finding;
use crate::state::StateFolder;
use crate::trust::sandbox::{self, Wall};
use crate::trust::{Scope, TrustList};
use crate::util::figures::plural;

const TOPIC: &str = "safety";

pub(super) fn findings() -> Vec<Finding> {
    vec![state(), trusted(), bounds()]
}

fn state() -> Finding {
    match StateFolder::open() {
        Ok(state) => Finding::ok(TOPIC, "state", state.path().display().to_string()),
        Err(error) => Finding::problem(
            TOPIC,
            "state",
            error.to_string(),
            "unsaved text, trust and signatures of results are kept there: set RECSCOPE_STATE to a folder of your own",
        ),
    }
}

fn trusted() -> Finding {
    let list = StateFolder::open().and_then(|state| TrustList::open(&state));
    let Ok(list) = list else {
        return Finding::note(TOPIC, "trusted", "not known", "the state folder cannot be read: see above");
    };
    let of = |scope: Scope| list.entries().iter().filter(|entry| entry.scope == scope).count() as u64;
    let detail = format!(
        "{}, {}",
        plural(of(Scope::Folder), "folder", "folders"),
        plural(of(Scope::Notebook), "notebook", "notebooks")
    );
    Finding::ok(TOPIC, "trusted", detail)
}

fn bounds() -> Finding {
    let wall = sandbox::offered();
    match wall {
        Wall::Whole => Finding::ok(TOPIC, "bounds", wall.words()),
        Wall::Partly => Finding::note(TOPIC, "bounds", wall.words(), "Linux 6.10 or newer governs all of it"),
        Wall::None => Finding::note(
            TOPIC,
            "bounds",
            wall.words(),
            "a kernel with Landlock (5.13 or newer, `lsm=landlock,...` on its command line) adds the second wall",
        ),
    }
}

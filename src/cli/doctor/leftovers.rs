//! What killed processes have left on this machine, as far as can be seen from here: what the next start
//! that comes by there removes. Nothing is removed by looking.

use super::Finding;
use crate::cli::settings;
use crate::engine::{lanes, model, store};
use crate::protocol::transport;
use crate::pull;
use crate::state::StateFolder;
use crate::util::figures;
use crate::util::leftover::LeftOver;
use crate::util::private::user_id;

const TOPIC: &str = "left-overs";

pub(super) fn findings() -> Vec<Finding> {
    let found = found();
    if found.is_empty() {
        return vec![Finding::ok(TOPIC, "swept", "nothing is left over from killed processes")];
    }
    found.iter().map(finding).collect()
}

fn finding(left: &LeftOver) -> Finding {
    let detail = format!("{}, {}: {}", left.path.display(), figures::bytes(left.bytes), left.why);
    Finding::note(TOPIC, "to sweep", detail, "removed by itself when recscope next works there")
}

fn found() -> Vec<LeftOver> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut found = store::left_over_spills(None);
    let untrusted = std::env::temp_dir().join(format!("recscope-{}", user_id())).join("untrusted");
    found.extend(store::left_over_spills(Some(&untrusted)));
    found.extend(transport::socket_folder().iter().flat_map(|folder| transport::left_over(folder)));
    found.extend(StateFolder::open().iter().flat_map(StateFolder::left_over));
    found.extend(lanes::left_over(&here));
    found.extend(store::left_over_tables(&here));
    let mut folders = settings::read().model_folders(&here);
    folders.sort();
    folders.dedup();
    for folder in folders {
        found.extend(model::left_over(&folder));
        found.extend(pull::left_over(&folder));
    }
    found
}

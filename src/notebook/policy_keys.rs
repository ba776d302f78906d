//! Keys of cells that measure logs whose policy is known: what showed an item, what another policy would
//! have shown, and what clicks owe to the position. Part of the table in `cells.rs`.

use super::keys::{KeyDef, KeyType};

pub(super) const PROPENSITY: KeyDef = KeyDef::new(
    "propensity",
    KeyType::Column,
    "\"propensity\"",
    "column of the logging policy's probability",
)
.default("schema");
const TARGET: KeyDef =
    KeyDef::new("target", KeyType::Column, "\"new_prob\"", "column of another policy's probability")
        .default("schema");
const REWARD: KeyDef = KeyDef::new("reward", KeyType::Column, "\"revenue\"", "column of what a row brought")
    .default("label, else gain");
const Q_LOGGED: KeyDef = KeyDef::new(
    "q_logged",
    KeyType::Column,
    "\"q\"",
    "column of a reward model's prediction for the shown item, for `dr`",
)
.default("schema");
const Q_TARGET: KeyDef = KeyDef::new(
    "q_target",
    KeyType::Column,
    "\"q_new\"",
    "column of the model's expected reward under the other policy, for `dr`",
)
.default("schema");
const EXAMINATION: KeyDef = KeyDef::new(
    "examination",
    KeyType::Column,
    "\"examination\"",
    "column of the probability that the position was looked at, for `ctr_debiased`",
)
.default("fitted to the clicks");
const CLIP: KeyDef = KeyDef::new(
    "clip",
    KeyType::Number(1e-9, f64::MAX),
    "10.0",
    "largest importance weight of `ips`, `snips`, `dr`",
)
.default("none");

/// In the order of the docs.
pub(super) const POLICY: &[KeyDef] = &[PROPENSITY, TARGET, REWARD, Q_LOGGED, Q_TARGET, EXAMINATION, CLIP];

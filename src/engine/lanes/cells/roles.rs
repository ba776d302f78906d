//! The columns of a `metrics`, `fairness` or `compare` cell, held against what is there before any SQL is made:
//! what the cell names must exist; of the schema's roles, those that a figure reads must.

use super::inputs::{has_column, instead_of, need_columns};
use super::{Stop, View};
use crate::analysis::metrics::{Level, MetricId, Need};
use crate::engine::store::Relation;
use crate::notebook::spec::{Input, Roles};
use crate::protocol::{Problem, ProblemKind};
use crate::terms::Ties;

/// Keys of the cell that name a column's role, and the role.
const KEYS: [(&str, &str); 22] = [
    ("query", "query"),
    ("item", "item"),
    ("user", "user"),
    ("score", "score"),
    ("rank", "position"),
    ("position", "position"),
    ("gain", "gain"),
    ("label", "label"),
    ("purchase", "purchase"),
    ("propensity", "propensity"),
    ("target", "target"),
    ("reward", "reward"),
    ("q_logged", "q_logged"),
    ("q_target", "q_target"),
    ("examination", "examination"),
    ("revenue", "revenue"),
    ("margin", "margin"),
    ("category", "category"),
    ("embedding", "embedding"),
    ("published", "published"),
    ("time", "time"),
    ("other", "other"),
];

/// What a cell measures.
pub(super) struct Asked<'a> {
    pub input: &'a Input,
    /// Those of the schema included.
    pub roles: &'a Roles,
    pub ties: Ties,
    /// Metric ids.
    pub metrics: &'a [String],
}

/// Roles whose columns all exist, and what the reader should know of the choice.
pub(super) struct Fitted {
    pub roles: Roles,
    pub notes: Vec<String>,
}

/// `groups`: the columns that rows are grouped by.
pub(super) fn fit(view: View<'_>, asked: &Asked, groups: Vec<&String>) -> Result<Fitted, Stop> {
    let found = view.connection.describe(&asked.input.from)?;
    let own = own_roles(view)?;
    let mut roles = asked.roles.clone();
    let named = own.iter().filter_map(|role| roles.slot(role)?.clone()).collect::<Vec<_>>();
    need_columns(view, &found, &named.iter().chain(groups).collect::<Vec<_>>())?;
    let mut notes: Vec<String> = default_score(view, &found, &own, &mut roles).into_iter().collect();
    notes.extend(leave_out(&found, asked, &own, &mut roles)?);
    Ok(Fitted { roles, notes })
}

/// Roles that the cell itself names, not the schema.
fn own_roles(view: View<'_>) -> Result<Vec<&'static str>, Problem> {
    let body = view.workspace.cell(view.cell)?.body.parse::<toml::Table>().unwrap_or_default();
    Ok(KEYS.iter().filter(|(key, _)| body.contains_key(*key)).map(|(_, role)| *role).collect())
}

/// A cell that names no score and no rank orders by the score of the nearest score cell above it, if
/// that column is still there. Says so.
fn default_score(view: View<'_>, found: &Relation, own: &[&str], roles: &mut Roles) -> Option<String> {
    let stands = roles.score.as_ref().is_some_and(|score| has_column(found, score));
    if stands || own.contains(&"score") || own.contains(&"position") {
        return None;
    }
    let scored = view.workspace.graph.score_ancestor(&found.name)?;
    let wanted = format!("{scored}_score");
    let column = found.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&wanted))?;
    roles.score = Some(column.name.clone());
    Some(format!("ordered by {}, the score of {scored}", column.name))
}

/// Columns of the schema that this relation lacks: an error where a figure reads them, else they play
/// no role here. Says so where that changes what a list is.
fn leave_out(
    found: &Relation,
    asked: &Asked,
    own: &[&str],
    roles: &mut Roles,
) -> Result<Vec<String>, Problem> {
    let ids: Vec<MetricId> = asked.metrics.iter().filter_map(|id| MetricId::parse(id).ok()).collect();
    let read: Vec<&str> = ids.iter().flat_map(|id| read_by(id, roles)).collect();
    let lists = ids.iter().any(|id| id.metric.level == Level::List);
    let mut notes = Vec::new();
    for (_, role) in KEYS.iter().filter(|(key, role)| key == role && !own.contains(role)) {
        let Some(slot) = roles.slot(role) else { continue };
        let Some(column) = slot.take_if(|column| !has_column(found, column)) else { continue };
        if read.contains(role) {
            let message = format!("{} has no column {column}, which the schema calls the {role}", found.name);
            let hint = format!("{} Name `{role}` in the cell to read another", instead_of(found, &column));
            return Err(Problem::new(ProblemKind::Data, message).hint(hint));
        }
        let told = ["user", "item"].contains(role) || (*role == "position" && asked.ties == Ties::Logged);
        if lists && told {
            notes.push(format!(
                "{} has no column {column} (the {role} of the schema): computed without it",
                found.name
            ));
        }
    }
    match roles.text.last() {
        Some(column) if !has_column(found, column) => {
            if ids.iter().any(|id| id.metric.needs.contains(&Need::Text)) {
                let message = format!("{} has no column {column}, which the schema calls a text", found.name);
                return Err(Problem::new(ProblemKind::Data, message).hint(instead_of(found, column)));
            }
            roles.text.clear();
        }
        _ => {}
    }
    Ok(notes)
}

/// The roles that a metric's value comes from.
fn read_by(id: &MetricId, roles: &Roles) -> Vec<&'static str> {
    let order = if roles.score.is_some() { "score" } else { "position" };
    let gain = if roles.gain.is_some() { "gain" } else { "label" };
    let label = if roles.label.is_some() { "label" } else { "gain" };
    let reward = if roles.reward.is_some() { "reward" } else { label };
    let role = |need: &Need| match need {
        Need::Query => "query",
        Need::Item => "item",
        Need::Order => order,
        Need::Score => "score",
        Need::Gain => gain,
        Need::Label => label,
        Need::Purchase => "purchase",
        Need::Revenue => "revenue",
        Need::Margin => "margin",
        Need::Category => "category",
        Need::Embedding => "embedding",
        Need::Published => "published",
        Need::Time => "time",
        Need::Other => "other",
        Need::Text => "text",
        Need::Propensity => "propensity",
        Need::Target => "target",
        Need::Reward => reward,
        Need::Model => "q_logged",
        Need::Place => order,
        Need::Click => "label",
        Need::Examination if roles.examination.is_some() => "examination",
        Need::Examination => "position",
    };
    // Needs that two columns meet together.
    let fitted = id.metric.needs.contains(&Need::Examination) && roles.examination.is_none();
    let second = [(id.metric.needs.contains(&Need::Model), "q_target"), (fitted, "item")];
    let second = second.into_iter().filter_map(|(read, role)| read.then_some(role));
    id.metric.needs.iter().map(role).chain(id.cutoff.map(|_| order)).chain(second).collect()
}

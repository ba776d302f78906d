//! Translation between the layers' own types for the same things: parameter values, sources, roles.
//! Each layer has its own so that none imports another; this is the one place that knows both sides.

use crate::analysis::metrics as asked;
use crate::engine::store::{Relation, SourceFormat, SourceSpec};
use crate::notebook::{Source, params, spec};
use crate::protocol::{Problem, ProblemKind, RelationInfo, RowCount};
use crate::terms::Ties;

use super::workspace::Workspace;

/// A source of the front matter as the store opens it. An option that no reader has is an error.
pub(super) fn source_spec(source: &Source) -> Result<SourceSpec, Problem> {
    let mut spec = SourceSpec { paths: source.paths.clone(), ..SourceSpec::default() };
    if let Some(word) = &source.format {
        let usage = || {
            Problem::new(
                ProblemKind::Usage,
                format!("source `{}` has the unknown format `{word}`", source.name),
            )
            .hint("parquet, csv, json or duckdb")
        };
        spec.format = Some(SourceFormat::parse(word).ok_or_else(usage)?);
    }
    for (key, value) in &source.options {
        spec = spec.option(key, value).map_err(|error| {
            let problem = Problem::from(error);
            Problem { message: format!("source `{}`: {}", source.name, problem.message), ..problem }
        })?;
    }
    Ok(spec)
}

pub(super) fn relation_info(relation: &Relation, workspace: &Workspace) -> RelationInfo {
    RelationInfo {
        name: relation.name.clone(),
        rows: relation.rows.map_or(RowCount::AtLeast(0), RowCount::Exact),
        columns: workspace.columns(&relation.columns),
    }
}

/// Which rows an analysis reads, with `{{param}}`s bound.
pub(super) fn rows(
    input: &spec::Input,
    roles: &spec::Roles,
    relevant_at: f64,
    ties: Ties,
    workspace: &Workspace,
) -> asked::Rows {
    asked::Rows {
        from: input.from.clone(),
        filter: input.filter.as_deref().map(|sql| params::bind(sql).sql),
        params: workspace.values.clone(),
        roles: asked::Roles {
            query: roles.query.clone(),
            item: roles.item.clone(),
            user: roles.user.clone(),
            position: roles.position.clone(),
            score: roles.score.clone(),
            label: roles.label.clone(),
            gain: roles.gain.clone(),
            purchase: roles.purchase.clone(),
            text: roles.text.clone(),
            revenue: roles.revenue.clone(),
            margin: roles.margin.clone(),
            category: roles.category.clone(),
            embedding: roles.embedding.clone(),
            published: roles.published.clone(),
            time: roles.time.clone(),
            other: roles.other.clone(),
        },
        relevant_at,
        ties,
        policy: asked::Policy {
            propensity: roles.propensity.clone(),
            target: roles.target.clone(),
            reward: roles.reward.clone(),
            q_logged: roles.q_logged.clone(),
            q_target: roles.q_target.clone(),
            examination: roles.examination.clone(),
            clip: roles.clip,
        },
        rules: asked::Rules::default(),
    }
}

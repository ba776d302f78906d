//! From column roles to the expressions that `metrics/judged` reads, and the check that a metric
//! has the roles it needs.

use super::rules::{self, graded, kept, threshold};
use super::{AnalysisError, MetricId, Need, Roles, Rows, Ties, Unjudged, policy};
use crate::analysis::Bindings;
use crate::terms::quote_ident;

pub(super) fn column(name: &str) -> String {
    format!("source.{}", quote_ident(name))
}

fn or_null(name: Option<&String>) -> String {
    name.map_or_else(|| "NULL".to_owned(), |name| column(name))
}

/// A number of a column, NULL where it is NaN: NaN is greater than everything in DuckDB, and true.
fn known(sql: &str) -> String {
    format!("nullif(CAST({sql} AS DOUBLE), CAST('nan' AS DOUBLE))")
}

/// A column that names something (a query, an item, a user, a group), as it stands; NaN names nothing.
fn name(column: &str) -> String {
    format!(
        "CASE WHEN typeof({column}) IN ('DOUBLE', 'FLOAT') AND isnan(TRY_CAST({column} AS DOUBLE)) \
         THEN NULL ELSE {column} END"
    )
}

fn name_or_null(role: Option<&String>) -> String {
    role.map_or_else(|| "NULL".to_owned(), |role| name(&column(role)))
}

/// True, false or NULL of a binary column of any type (`true`, 1, 'true', ...).
fn binary(name: &str) -> String {
    let column = column(name);
    let number = format!("TRY_CAST({column} AS DOUBLE)");
    format!(
        "CASE WHEN coalesce(NOT isnan({number}), TRUE) \
         THEN coalesce({number} > 0, TRY_CAST({column} AS BOOLEAN)) END"
    )
}

/// What a list is: by default rows of one query, or of one query and user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Query,
    /// Rows of one item: the exchangeable unit of a slice that describes items.
    Item,
    /// The same with the query in the user's place: items that trade places within their query.
    ItemInQuery,
}

/// Whose list a row belongs to: what stands in the query's place, and in the user's.
fn owner(roles: &Roles, unit: Unit) -> (String, String) {
    // A row of no query is a list of its own, so that row metrics work without the role.
    let query = match unit {
        Unit::Item | Unit::ItemInQuery => name_or_null(roles.item.as_ref()),
        Unit::Query => match &roles.query {
            Some(query) => name(&column(query)),
            None => "row_number() OVER ()".to_owned(),
        },
    };
    let user = match unit {
        Unit::Query => name_or_null(roles.user.as_ref()),
        Unit::Item => "NULL".to_owned(),
        Unit::ItemInQuery => name_or_null(roles.query.as_ref()),
    };
    (query, user)
}

/// Where rows come from and whose list each is: what several statements take.
pub(super) fn keyed(rows: &Rows, slice: &[String], unit: Unit) -> Bindings {
    let (query, user) = owner(&rows.roles, unit);
    filtered(rows, Bindings::new()).expr("query", query).expr("user", user).expr("slice", parts(slice))
}

/// The same once `recscope_judged` has read them.
pub(super) fn judged_keyed() -> Bindings {
    Bindings::new()
        .ident("from", "recscope_judged")
        .expr("where", "TRUE")
        .expr("query", column("query"))
        .expr("user", column("user"))
        .expr("slice", column("slice"))
}

/// The expressions of `names` alone, for a statement that takes no others.
pub(super) fn only(names: &[&str], mut bindings: Bindings) -> Bindings {
    bindings.exprs.retain(|(name, _)| names.contains(&name.as_str()));
    bindings
}

/// What orders and judges a row, for [`keyed`] rows.
pub(super) fn ranked(rows: &Rows, keyed: Bindings) -> Bindings {
    let roles = &rows.roles;
    let score = match (&roles.score, &roles.position) {
        (Some(score), _) => rules::precise(rows, &column(score)),
        (None, Some(position)) => format!("-CAST({} AS DOUBLE)", column(position)),
        (None, None) => "NULL".to_owned(),
    };
    let shown = match roles.score.as_ref().or(roles.position.as_ref()) {
        Some(name) => format!("{} IS NOT NULL", column(name)),
        None => "TRUE".to_owned(),
    };
    keyed
        .expr("item", name_or_null(roles.item.as_ref()))
        .expr("score", score)
        .expr("shown", shown)
        .expr("gain", gain(rows))
}

/// Fills `metrics/judged` for these rows, split by the columns of `slice`.
pub(crate) fn judged(rows: &Rows, slice: &[String], unit: Unit, text: bool) -> Bindings {
    let roles = &rows.roles;
    let logged = rows.ties == Ties::Logged;
    ordered(rows, ranked(rows, keyed(rows, slice, unit)))
        .expr("purchase", roles.purchase.as_deref().map_or_else(|| "NULL".to_owned(), binary))
        .expr("text", if text { or_null(roles.text.last()) } else { "NULL".to_owned() })
        .expr("tie_item", if logged { "NULL".to_owned() } else { name_or_null(roles.item.as_ref()) })
}

/// What orders [`ranked`] rows of one score, and copies of an item, beside the item itself.
pub(super) fn ordered(rows: &Rows, ranked: Bindings) -> Bindings {
    let roles = &rows.roles;
    let logged = rows.ties == Ties::Logged;
    // Expected ties need some order all the same, for what has no expectation.
    let by_appearance = logged || roles.item.is_none();
    ranked
        .expr("label", label(rows))
        .expr("tie_position", if logged { or_null(roles.position.as_ref()) } else { "NULL".to_owned() })
        .expr("seq", if by_appearance { "row_number() OVER ()" } else { "0" })
}

/// What click logs tell beside the roles, as one struct; NULL where no metric reads it.
/// `from_zero`: positions count from 0, see [`first_positions`].
pub(crate) fn policy(rows: &Rows, wanted: bool, from_zero: bool) -> String {
    if !wanted {
        return "NULL".to_owned();
    }
    let policy = &rows.policy;
    let number = |name: Option<&String>| known(&or_null(name));
    let reward = match policy::reward(rows) {
        // A label may be of any type, true and 'yes' included.
        Some(("label", column)) => format!("CAST(CAST({} AS BOOLEAN) AS DOUBLE)", binary(column)),
        Some((_, column)) => number(Some(&column.to_owned())),
        None => number(None),
    };
    format!(
        "{{'propensity': {}, 'target': {}, 'reward': {reward}, 'q_logged': {}, 'q_target': {}, \
         'examination': {}, 'position': {}, 'place': {}}}",
        number(policy.propensity.as_ref()),
        number(policy.target.as_ref()),
        number(policy.q_logged.as_ref()),
        number(policy.q_target.as_ref()),
        number(policy.examination.as_ref()),
        position(&rows.roles, from_zero),
        place(rows, from_zero),
    )
}

/// The logged position as a number from 1.
fn position(roles: &Roles, from_zero: bool) -> String {
    let position = known(&or_null(roles.position.as_ref()));
    if from_zero { format!("({position} + 1)") } else { position }
}

/// What `policy/first_positions` reads, where rows have a logged position.
pub(super) fn first_positions(rows: &Rows) -> Option<Bindings> {
    rows.roles.position.as_ref()?;
    // Rows of no query are one log.
    let query =
        if rows.roles.query.is_some() { owner(&rows.roles, Unit::Query).0 } else { "TRUE".to_owned() };
    let bindings = filtered(rows, Bindings::new()).expr("query", query);
    Some(
        bindings
            .expr("user", name_or_null(rows.roles.user.as_ref()))
            .expr("position", position(&rows.roles, false)),
    )
}

/// The rank in the query's whole list: as logged, or by the score.
fn place(rows: &Rows, from_zero: bool) -> String {
    let roles = &rows.roles;
    let Some(score) = &roles.score else {
        return position(roles, from_zero);
    };
    let score = known(&rules::precise(rows, &column(score)));
    let tie = match rows.ties {
        Ties::Docid | Ties::Expected => format!("CAST({} AS VARCHAR) DESC", or_null(roles.item.as_ref())),
        Ties::Logged => format!("{} ASC NULLS LAST", or_null(roles.position.as_ref())),
    };
    format!(
        "CASE WHEN {score} IS NOT NULL THEN CAST(row_number() OVER (PARTITION BY {}, {} \
         ORDER BY {score} DESC NULLS LAST, {tie}) AS DOUBLE) END",
        name_or_null(roles.query.as_ref()),
        name_or_null(roles.user.as_ref()),
    )
}

/// The values of the slice columns of a row, as text.
pub(super) fn parts(slice: &[String]) -> String {
    if slice.is_empty() {
        return "CAST(NULL AS VARCHAR[])".to_owned();
    }
    let parts: Vec<String> =
        slice.iter().map(|part| format!("CAST({} AS VARCHAR)", name(&column(part)))).collect();
    format!("[{}]", parts.join(", "))
}

/// Fills `metrics/extras` for the rows that [`judged`] reads, with the same lists.
pub(super) fn extras(rows: &Rows, slice: &[String], unit: Unit, needs: &[Need]) -> Bindings {
    let roles = &rows.roles;
    let (query, user) = owner(roles, unit);
    let grade = roles.gain.as_deref().map_or_else(|| "NULL".to_owned(), |name| graded(rows, &column(name)));
    // A role that no metric reads may be of any type.
    let read = |need: Need, sql: String| if needs.contains(&need) { sql } else { "NULL".to_owned() };
    filtered(rows, Bindings::new())
        .expr("query", query)
        .expr("user", user)
        .expr("slice", parts(slice))
        .expr("item", name_or_null(roles.item.as_ref()))
        .expr("score", read(Need::Score, or_null(roles.score.as_ref())))
        .expr("other", read(Need::Other, or_null(roles.other.as_ref())))
        .expr("grade", read(Need::Gain, grade))
        .expr("revenue", read(Need::Revenue, or_null(roles.revenue.as_ref())))
        .expr("margin", read(Need::Margin, or_null(roles.margin.as_ref())))
        .expr("category", read(Need::Category, or_null(roles.category.as_ref())))
        .expr("embedding", read(Need::Embedding, or_null(roles.embedding.as_ref())))
        .expr("published", read(Need::Published, or_null(roles.published.as_ref())))
        .expr("time", read(Need::Time, or_null(roles.time.as_ref())))
}

/// Fills `metrics/popular`: clicks per item of the whole relation, whatever the filter.
pub(super) fn popular(rows: &Rows) -> Bindings {
    items(rows).expr("label", label(rows))
}

/// Fills `metrics/items`: the whole relation, whatever the filter.
pub(crate) fn items(rows: &Rows) -> Bindings {
    Bindings::new().ident("from", &rows.from).expr("item", name_or_null(rows.roles.item.as_ref()))
}

fn filtered(rows: &Rows, bindings: Bindings) -> Bindings {
    let mut bindings = bindings.ident("from", &rows.from).expr("where", kept(rows));
    bindings.values.extend(rows.params.iter().cloned());
    bindings
}

fn gain(rows: &Rows) -> String {
    let gain = match (&rows.roles.gain, &rows.roles.label) {
        (Some(gain), _) => graded(rows, &column(gain)),
        (None, Some(label)) => binary(label),
        (None, None) => return "NULL".to_owned(),
    };
    match rows.rules.unjudged {
        Unjudged::Gain(value) => format!("coalesce({}, CAST({value:?} AS DOUBLE))", known(&gain)),
        Unjudged::NotRelevant | Unjudged::Condensed => gain,
    }
}

fn label(rows: &Rows) -> String {
    match (&rows.roles.label, &rows.roles.gain) {
        (Some(label), _) => binary(label),
        (None, Some(gain)) => {
            format!("{} >= CAST({:?} AS DOUBLE)", known(&graded(rows, &column(gain))), threshold(rows))
        }
        (None, None) => "CAST(NULL AS BOOLEAN)".to_owned(),
    }
}

/// The metric's needs against the roles at hand.
pub(crate) fn require(id: &MetricId, rows: &Rows) -> Result<(), AnalysisError> {
    let roles = &rows.roles;
    let ordered = roles.score.is_some() || roles.position.is_some();
    let judged = roles.gain.is_some() || roles.label.is_some();
    for need in id.metric.needs {
        let (met, what, example) = match need {
            Need::Query => (roles.query.is_some(), "a query column", "query = \"query\""),
            Need::Item => (roles.item.is_some(), "an item column", "item = \"item_id\""),
            Need::Order => (ordered, "a score or a rank column", "score = \"score\" or rank = \"position\""),
            Need::Score => (roles.score.is_some(), "a score column", "score = \"score\""),
            Need::Gain => (judged, "a gain or a label column", "gain = \"grade\" or label = \"clicked\""),
            Need::Label => (judged, "a label or a gain column", "label = \"clicked\" or gain = \"grade\""),
            Need::Purchase => (roles.purchase.is_some(), "a purchase column", "purchase = \"bought\""),
            Need::Revenue => (roles.revenue.is_some(), "a revenue column", "revenue = \"price_paid\""),
            Need::Margin => (roles.margin.is_some(), "a margin column", "margin = \"margin\""),
            Need::Category => (roles.category.is_some(), "a category column", "category = \"category\""),
            Need::Embedding => {
                (roles.embedding.is_some(), "a column of embeddings", "embedding = \"vector\"")
            }
            Need::Published => (
                roles.published.is_some(),
                "a column of when items were published",
                "published = \"created_at\"",
            ),
            Need::Time => (roles.time.is_some(), "a column of when rows were shown", "time = \"ts\""),
            Need::Other => (roles.other.is_some(), "a second score column", "other = \"new_score\""),
            Need::Text => (!roles.text.is_empty(), "a text column", "text = [\"title\"]"),
            Need::Propensity => (
                rows.policy.propensity.is_some(),
                "the logging policy's probabilities",
                "propensity = \"propensity\"",
            ),
            Need::Target => {
                (rows.policy.target.is_some(), "the new policy's probabilities", "target = \"new_prob\"")
            }
            Need::Reward => {
                (policy::reward(rows).is_some(), "a reward, label or gain column", "reward = \"revenue\"")
            }
            Need::Model => (
                rows.policy.q_logged.is_some() && rows.policy.q_target.is_some(),
                "a reward model's predictions",
                "q_logged = \"q\" and q_target = \"q_new\"",
            ),
            Need::Place => (ordered, "a score or a rank column", "score = \"score\" or rank = \"position\""),
            Need::Click => (
                roles.label.is_some() && roles.gain.is_some(),
                "a label beside the gain",
                "gain = \"grade\" and label = \"clicked\"",
            ),
            Need::Examination => (
                policy::has_examination(rows),
                "an examination column, or a position and an item to fit it from",
                "position = \"position\" and item = \"item_id\"",
            ),
        };
        if !met {
            let hint = format!("add {example} to the cell, or to `schema:` in the front matter");
            return Err(AnalysisError::request(format!("{id} needs {what}")).with_hint(hint));
        }
    }
    if id.cutoff.is_some() && !ordered {
        let hint = "add score = \"score\" or rank = \"position\" to the cell";
        return Err(AnalysisError::request(format!("{id} needs a score or a rank column")).with_hint(hint));
    }
    Ok(())
}

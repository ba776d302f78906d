//! `recscope verify`: computes every golden value anew that needs only this program, files of its
//! repository, or the folder of shared goldens, and prints the largest error of each family. One file
//! per kind of golden; how a figure is computed is where it always is.

mod examples;
mod expected;
mod family;
mod metrics;
mod models;
mod stats;

use serde_json::{Value as Json, json};

use super::args::{ShortFormat, VerifyArgs};
use super::output::{cancel_on_signal, json_page, print};
use super::{Failure, err_line};
use crate::util::sanitise;
use expected::FAMILIES;
use family::{Family, Session};

/// Verifies, prints, and gives 1 where a family is above its tolerance, else 0.
pub(super) fn verify(args: &VerifyArgs) -> Result<u8, Failure> {
    let cancel = cancel_on_signal();
    let session = Session::new(&cancel)?;
    let shared = args.shared.as_deref();
    if let Some(folder) = shared.filter(|folder| !folder.join("goldens").is_dir()) {
        return Err(Failure::data(format!("{} has no folder goldens", folder.display()))
            .hint("--shared takes the folder that holds goldens, data and models"));
    }
    if let Some(unknown) = args.skip.iter().find(|id| FAMILIES.iter().all(|family| family.id != **id)) {
        let ids: Vec<&str> = FAMILIES.iter().map(|family| family.id).collect();
        return Err(Failure::usage(format!("no family of goldens is called `{}`", sanitise::line(unknown)))
            .hint(format!("--skip takes one of {}", ids.join(", "))));
    }
    let mut families = vec![examples::metrics(&session)];
    families.extend(metrics::peers(&session));
    families.push(stats::normal());
    if let Some(shared) = shared {
        families.extend(metrics::shared(&session, shared));
        families.extend(stats::shared(&session, shared));
    }
    families.push(models::architectures());
    families.extend(shared.map(|shared| models::attributions(&session, shared)));
    let mut families = families.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    complete(&mut families, args);
    let ok = families.iter().all(Family::ok);
    let code = print(&match args.format {
        ShortFormat::Json => json_text(&families, ok),
        ShortFormat::Text => text(&families),
    })?;
    if !ok {
        err_line("a family is above its tolerance, incomplete or missing; --skip ID leaves one out");
    }
    Ok(if ok { code } else { 1 })
}

/// What was not computed is missing; what is not asked for is left out, and said.
fn complete(families: &mut Vec<Family>, args: &VerifyArgs) {
    for family in families.iter_mut().filter(|family| args.skip.iter().any(|id| id == family.id)) {
        family.skipped = Some("--skip".to_owned());
    }
    for &of in FAMILIES {
        if families.iter().any(|family| family.id == of.id) {
            continue;
        }
        families.push(match (of.shared && args.shared.is_none(), args.skip.iter().any(|id| id == of.id)) {
            (true, _) => Family::skipped(of, "needs --shared DIR"),
            (false, true) => Family::skipped(of, "--skip"),
            (false, false) => Family::missing(of, "not computed"),
        });
    }
}

fn text(families: &[Family]) -> String {
    let width = families.iter().map(|family| family.name.chars().count()).max().unwrap_or_default();
    let mut out =
        format!("{:width$}  {:>7}  {:>9}  {:>9}  \n", "family", "figures", "max error", "tolerance");
    for family in families {
        let line = match (&family.skipped, &family.missing) {
            (Some(reason), _) => format!("{:width$}  skipped: {reason}", family.name),
            (None, Some(reason)) => {
                format!("{:width$}  MISSING: {reason} (--skip {} leaves it out)", family.name, family.id)
            }
            (None, None) => format!(
                "{:width$}  {:>7}  {:>9.1e}  {:>9.0e}  {}",
                family.name,
                family.figures,
                family.largest,
                family.tolerance,
                family.verdict()
            ),
        };
        out.push_str(&sanitise::line(&line));
        out.push('\n');
    }
    out
}

fn json_text(families: &[Family], ok: bool) -> String {
    let entry = |family: &Family| -> Json {
        json!({
            "id": family.id,
            "name": family.name,
            "ok": family.ok(),
            "figures": family.figures,
            "expected": family.expected,
            "max_error": Some(family.largest).filter(|error| family.figures > 0 && error.is_finite()),
            "tolerance": family.tolerance,
            "at": family.at,
            "skipped": family.skipped,
            "missing": family.missing,
        })
    };
    let report = json!({ "ok": ok, "families": families.iter().map(entry).collect::<Vec<_>>() });
    json_page(&report)
}

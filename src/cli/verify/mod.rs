//! `recscope verify`: computes every golden value anew that needs only this program, files of its
//! repository, or the folder of shared goldens, and prints the largest error of each family. One file
//! per kind of golden; how a figure is computed is where it always is.

mod examples;
mod family;
mod metrics;
mod models;
mod stats;

use serde_json::{Value as Json, json};

use super::args::{ShortFormat, VerifyArgs};
use super::output::{cancel_on_signal, json_page, print};
use super::{Failure, err_line};
use crate::util::sanitise;
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
    let mut families = vec![examples::metrics(&session)];
    families.extend(metrics::peers(&session));
    families.push(stats::normal());
    families.extend(metrics::shared(&session, shared));
    families.extend(stats::shared(&session, shared));
    families.push(models::architectures());
    families.push(models::attributions(&session, shared));
    let families = families.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    let ok = families.iter().all(Family::ok);
    let code = print(&match args.format {
        ShortFormat::Json => json_text(&families, ok),
        ShortFormat::Text => text(&families),
    })?;
    if !ok {
        err_line("a family is above its tolerance");
    }
    Ok(if ok { code } else { 1 })
}

fn text(families: &[Family]) -> String {
    let width = families.iter().map(|family| family.name.chars().count()).max().unwrap_or_default();
    let mut out =
        format!("{:width$}  {:>7}  {:>9}  {:>9}  \n", "family", "figures", "max error", "tolerance");
    for family in families {
        let line = match &family.skipped {
            Some(reason) => format!("{:width$}  skipped: {reason}", family.name),
            None => format!(
                "{:width$}  {:>7}  {:>9.1e}  {:>9.0e}  {}",
                family.name,
                family.figures,
                family.largest,
                family.tolerance,
                if family.ok() { "ok".to_owned() } else { format!("ABOVE at {}", family.at) }
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
            "name": family.name,
            "ok": family.ok(),
            "figures": family.figures,
            "max_error": family.skipped.is_none().then_some(family.largest).filter(|error| error.is_finite()),
            "tolerance": family.tolerance,
            "at": family.at,
            "skipped": family.skipped,
        })
    };
    let report = json!({ "ok": ok, "families": families.iter().map(entry).collect::<Vec<_>>() });
    json_page(&report)
}

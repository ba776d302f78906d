//! `recscope models quantize`: a folder with its weights in fewer bits, and what that costs and brings.

use std::path::Path;

use serde_json::{Value, json};

use super::super::output::cancel_on_signal;
use super::super::{Failure, err_line};
use super::args::{QuantizeArgs, SampleArgs};
use super::bench::{lines, show};
use super::contest::{Loaded, load};
use super::report;
use super::sample::Sample;
use crate::engine::model::Dtype;
use crate::engine::model::shrink::{self, Smaller};
use crate::util::atomic;
use crate::util::cancel::Cancel;

pub fn quantize(args: &QuantizeArgs) -> Result<u8, Failure> {
    let cancel = cancel_on_signal();
    let dtype: Dtype = args.to.parse()?;
    let old = load(&args.folder)?;
    shrink::check(&old.model, &args.out, dtype, args.overwrite)?;
    let sample = Sample::open(&args.sample, old.model.info(), &cancel)?;
    let done = json!({ "quantize": args.to });
    write(&old, &Smaller::whole(&old.model), dtype, (&args.out, args.overwrite), &done)?;
    finish(&old, (&args.out, done), &sample, &args.sample, &cancel)
}

/// Writes the smaller model; cancelled before it, nothing is there, after it, all of it is.
pub fn write(
    old: &Loaded,
    smaller: &Smaller,
    dtype: Dtype,
    out: (&Path, bool),
    done: &Value,
) -> Result<(), Failure> {
    Ok(shrink::save(&old.model, smaller, dtype, out, &about(old, done, None))?)
}

/// Measures the folder that was written against the one that it came from, tells, and puts the figures
/// into the folder too.
pub fn finish(
    old: &Loaded,
    (out, done): (&Path, Value),
    sample: &Sample,
    args: &SampleArgs,
    cancel: &Cancel,
) -> Result<u8, Failure> {
    err_line(&format!("written to {}", out.display()));
    let new = load(out)?;
    let types = [(old, old.model.default_dtype()), (&new, new.model.default_dtype())];
    let lines = lines(&types, sample, args, cancel)?;
    let figures = report::json(sample, &lines);
    let text = format!("{:#}\n", about(old, &done, Some(figures)));
    atomic::write(&out.join("shrinking.json"), text.as_bytes())?;
    show(sample, &lines, args.format)
}

fn about(old: &Loaded, done: &Value, figures: Option<Value>) -> Value {
    json!({
        "from": old.model.info().name,
        "from_sha256": old.model.info().hash,
        "done": done,
        "measured": figures,
    })
}

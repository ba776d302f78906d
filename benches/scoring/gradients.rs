//! How fast explanations get their gradients: 64 points of one pair on the 12-layer cross-encoder.

use std::path::Path;

use recscope::engine::model::{DeviceChoice, LoadOptions, Model};
use recscope::util::cancel::Cancel;

use crate::measure::timed;

pub fn measure(shared: &Path) {
    let dir = shared.join("models/ms-marco-MiniLM-L-12-v2");
    if !dir.exists() {
        println!("gradients: skipped, {} is not here", dir.display());
        return;
    }
    let model =
        Model::load(&dir, &LoadOptions { device: DeviceChoice::Cpu, max_tokens: None, ..Default::default() })
            .unwrap();
    let input = model.encode("touchscreen computer", Some("Kensington SmartFit TFT Stand Graphite")).unwrap();
    let points = vec![model.embeddings(&input.ids).unwrap(); 64];
    let (all, spent) = timed(|| model.gradients(&input, &points, None, &Cancel::new()).unwrap());
    let tokens = (all.len() * input.ids.len()) as f64;
    println!("gradients: {:.0} tokens/s, {:.0} per CPU second", tokens / spent.wall, tokens / spent.cpu);
}

//! Whether contestants computed the same thing: nobody is timed on something else.

/// How far outputs lie from the reference's.
pub struct Apart {
    pub max: f32,
    pub mean: f32,
    /// Mean cosine of embeddings, or the correlation of all logits.
    pub alike: f64,
}

/// f32 outputs of different programs on the same model agree to this.
pub const TOLERANCE: f32 = 1e-4;

/// Whatever the number type, outputs less alike than this are of another computation.
pub const ALIKE: f64 = 0.9;

pub fn compare(ours: &[f32], reference: &[f32], rows: usize, encoder: bool) -> Result<Apart, String> {
    if ours.len() != reference.len() || rows == 0 {
        return Err(format!("{} outputs where the reference has {}", ours.len(), reference.len()));
    }
    let differences = || ours.iter().zip(reference).map(|(a, b)| (a - b).abs());
    if differences().any(f32::is_nan) {
        return Err("an output is not a number".into());
    }
    let alike = if encoder {
        let width = ours.len() / rows;
        let cosines = ours.chunks(width).zip(reference.chunks(width)).map(|(a, b)| cosine(a, b, false));
        cosines.sum::<f64>() / rows as f64
    } else {
        cosine(ours, reference, true)
    };
    let max = differences().fold(0.0, f32::max);
    Ok(Apart { max, mean: differences().sum::<f32>() / ours.len() as f32, alike })
}

/// The cosine of two vectors; of their differences from their means (the correlation) if `centred`.
fn cosine(a: &[f32], b: &[f32], centred: bool) -> f64 {
    let mean = |v: &[f32]| if centred { v.iter().sum::<f32>() as f64 / v.len() as f64 } else { 0.0 };
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (x as f64 - mean_a, y as f64 - mean_b);
        (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
    }
    ab / (aa * bb).sqrt()
}

pub fn read(file: &std::path::Path) -> Result<Vec<f32>, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("no outputs: {e}"))?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

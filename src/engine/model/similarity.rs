//! How two texts' vectors are compared: as the folder asks (`similarity_fn_name` of
//! sentence-transformers), the cosine where it says nothing. Larger is always more alike.

use std::path::Path;

use candle_core::Tensor;

use super::error::{ModelError, ModelErrorKind};
use super::folder::read_json;
use super::{ops, prefixes};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Similarity {
    #[default]
    Cosine,
    Dot,
    /// The distance, below 0.
    Euclidean,
    /// The sum of absolute differences, below 0.
    Manhattan,
}

impl Similarity {
    const ALL: [Self; 4] = [Self::Cosine, Self::Dot, Self::Euclidean, Self::Manhattan];

    /// As sentence-transformers spells it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
        }
    }

    /// What a score is, for notes.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Cosine => "the cosine",
            Self::Dot => "the dot product",
            Self::Euclidean => "the Euclidean distance times -1",
            Self::Manhattan => "the Manhattan distance times -1",
        }
    }

    /// Of a model folder.
    pub(super) fn read(dir: &Path) -> Result<Self, ModelError> {
        let config = read_json(&dir.join(prefixes::FILE))?.unwrap_or_default();
        let Some(name) = config.get("similarity_fn_name").and_then(serde_json::Value::as_str) else {
            return Ok(Self::Cosine);
        };
        Self::ALL.into_iter().find(|similarity| similarity.id() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::id).join(", ");
            let what = format!("{}: similarity_fn_name \"{name}\"", dir.join(prefixes::FILE).display());
            ModelError::new(ModelErrorKind::Unsupported, what).hint(format!("known are {known}"))
        })
    }

    /// Of two vectors of equal length; NaN where a cosine has none.
    pub fn of(self, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(&x, &y)| (f64::from(x), f64::from(y)));
        match self {
            Self::Cosine => cosine(a, b),
            Self::Dot => pairs().map(|(x, y)| x * y).sum(),
            Self::Euclidean => -pairs().map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt(),
            Self::Manhattan => -pairs().map(|(x, y)| (x - y).abs()).sum::<f64>(),
        }
    }

    /// The same of rows `[batch, width]`, with a backward pass: `[batch]`.
    pub(super) fn of_rows(self, a: &Tensor, b: &Tensor) -> Result<Tensor, ModelError> {
        Ok(match self {
            Self::Cosine => (ops::normalise(a)? * ops::normalise(b)?)?.sum(1)?,
            Self::Dot => (a * b)?.sum(1)?,
            Self::Euclidean => (a - b)?.sqr()?.sum(1)?.sqrt()?.neg()?,
            Self::Manhattan => (a - b)?.abs()?.sum(1)?.neg()?,
        })
    }
}

/// Cosine of two vectors of equal length; NaN where one has length 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut dot, mut aa, mut bb) = (0f64, 0f64, 0f64);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x), f64::from(y));
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    dot / (aa.sqrt() * bb.sqrt())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn cosine_of_a_zero_vector_is_not_a_number() {
        assert!((cosine(&[1.0, 1.0], &[2.0, 2.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[0.0, 0.0], &[1.0, 0.0]).is_nan());
    }

    /// sentence-transformers' `util`: dot_score, euclidean_sim, manhattan_sim.
    #[test]
    fn rows_are_what_vectors_are() {
        let (a, b) = ([3.0f32, -1.0, 0.5], [1.0f32, 2.0, 4.0]);
        let rows = [a, b].map(|v| Tensor::from_slice(&v, (1, 3), &Device::Cpu).unwrap());
        for (similarity, expected) in [
            (Similarity::Dot, 3.0),
            (Similarity::Euclidean, -(4.0f64 + 9.0 + 12.25).sqrt()),
            (Similarity::Manhattan, -8.5),
            (Similarity::Cosine, 3.0 / (10.25f64.sqrt() * 21f64.sqrt())),
        ] {
            assert!((similarity.of(&a, &b) - expected).abs() < 1e-12);
            let found: Vec<f32> = similarity.of_rows(&rows[0], &rows[1]).unwrap().to_vec1().unwrap();
            assert!((f64::from(found[0]) - expected).abs() < 1e-6, "{similarity:?}");
        }
    }

    #[test]
    fn the_folder_decides() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(dir.path().join(prefixes::FILE), text).unwrap();
        assert_eq!(Similarity::read(dir.path()).unwrap(), Similarity::Cosine);
        write(r#"{"similarity_fn_name": null}"#);
        assert_eq!(Similarity::read(dir.path()).unwrap(), Similarity::Cosine);
        write(r#"{"similarity_fn_name": "manhattan"}"#);
        assert_eq!(Similarity::read(dir.path()).unwrap(), Similarity::Manhattan);
        write(r#"{"similarity_fn_name": "hyperbolic"}"#);
        assert!(Similarity::read(dir.path()).unwrap_err().hint.unwrap().contains("dot"));
    }
}

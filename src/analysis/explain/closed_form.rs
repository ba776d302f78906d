//! Models whose attributions are known on paper, for the tests of this folder.
//!
//! Their tokenizer splits like a WordPiece one: whitespace, punctuation and Chinese characters apart,
//! Latin words in pieces of four letters. Every token's embedding is two numbers; [PAD] and [MASK]
//! are zero.

use crate::analysis::scorer::{Encoded, Gradients, Scorer, ScorerError};

const HIDDEN: usize = 2;
const SLOPES: [f64; HIDDEN] = [0.75, -0.5];

/// F = bias + sum over tokens of slopes . e_t.
#[derive(Default)]
pub struct Linear {
    pub bias: f64,
    pub vocabulary: Vocabulary,
}

/// F = s^degree / degree with s = the linear model's sum.
pub struct Power {
    degree: i32,
    pub vocabulary: Vocabulary,
}

#[derive(Default)]
pub struct Vocabulary(Vec<String>);

const SPECIALS: u32 = 4;

impl Vocabulary {
    fn id(&mut self, token: &str) -> u32 {
        let at = self.0.iter().position(|t| t == token).unwrap_or_else(|| {
            self.0.push(token.to_owned());
            self.0.len() - 1
        });
        at as u32 + SPECIALS
    }

    fn embedding(&self, id: u32) -> [f32; HIDDEN] {
        if id < SPECIALS {
            return [0.0; HIDDEN];
        }
        // Any fixed, uneven values do; from the text, so that order of arrival does not matter.
        let hash = self.0[(id - SPECIALS) as usize].bytes().fold(7u32, |h, b| h * 31 % 1009 + u32::from(b));
        [(hash % 13) as f32 / 8.0 - 0.25, (hash % 7) as f32 / 8.0 - 0.5]
    }

    fn value(&self, id: u32) -> f64 {
        self.embedding(id).iter().zip(SLOPES).map(|(e, s)| f64::from(*e) * s).sum()
    }

    fn encode(&mut self, query: &str, text: Option<&str>) -> Encoded {
        let mut input = Encoded::default();
        let mut push = |id, token: &str, side, offsets, special| {
            input.ids.push(id);
            input.type_ids.push(u32::from(side));
            input.special.push(special);
            input.sides.push(side);
            input.offsets.push(offsets);
            input.tokens.push(token.to_owned());
        };
        push(2, "[CLS]", 0, (0, 0), true);
        for (side, source) in [Some(query), text].into_iter().enumerate() {
            let Some(source) = source else { continue };
            for (token, start, end) in pieces(source) {
                push(self.id(&token), &token, side as u8, (start, end), false);
            }
            push(3, "[SEP]", side as u8, (0, 0), true);
        }
        input
    }
}

fn pieces(text: &str) -> Vec<(String, usize, usize)> {
    let mut found: Vec<(String, usize, usize)> = Vec::new();
    let mut letters = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if !c.is_ascii_alphanumeric() {
            letters = 0;
            if !c.is_whitespace() {
                found.push((c.to_string(), at, end));
            }
            continue;
        }
        match found.last_mut() {
            Some(last) if letters > 0 && letters % 4 != 0 => {
                last.0.push(c);
                last.2 = end;
            }
            _ if letters > 0 => found.push((format!("##{c}"), at, end)),
            _ => found.push((c.to_string(), at, end)),
        }
        letters += 1;
    }
    found
}

impl Linear {
    pub fn value_of(&mut self, token: &str) -> f64 {
        let id = self.vocabulary.id(token);
        self.vocabulary.value(id)
    }
}

impl Power {
    pub fn new(degree: i32) -> Self {
        Self { degree, vocabulary: Vocabulary::default() }
    }

    pub fn value_of(&mut self, token: &str) -> f64 {
        let id = self.vocabulary.id(token);
        self.vocabulary.value(id)
    }

    fn at(&self, sum: f64) -> (f64, f64) {
        (sum.powi(self.degree) / f64::from(self.degree), sum.powi(self.degree - 1))
    }
}

fn sum_of(point: &[f32]) -> f64 {
    point.chunks(HIDDEN).flat_map(|e| e.iter().zip(SLOPES)).map(|(e, s)| f64::from(*e) * s).sum()
}

fn gradients(points: &[Vec<f32>], f: impl Fn(f64) -> (f64, f64)) -> Vec<Gradients> {
    let one = |point: &Vec<f32>| {
        let (score, slope) = f(sum_of(point));
        let per_token = SLOPES.map(|s| (s * slope) as f32);
        Gradients { score, gradient: per_token.repeat(point.len() / HIDDEN) }
    };
    points.iter().map(one).collect()
}

macro_rules! scorer {
    ($model:ty, $at:expr) => {
        impl Scorer for $model {
            fn encode(&mut self, query: &str, text: Option<&str>) -> Result<Encoded, ScorerError> {
                Ok(self.vocabulary.encode(query, text))
            }
            fn score(&mut self, inputs: &[Encoded]) -> Result<Vec<f64>, ScorerError> {
                let sum = |i: &Encoded| i.ids.iter().map(|id| self.vocabulary.value(*id)).sum::<f64>();
                Ok(inputs.iter().map(|i| $at(self, sum(i)).0).collect())
            }
            fn embeddings(&mut self, ids: &[u32]) -> Result<Vec<f32>, ScorerError> {
                Ok(ids.iter().flat_map(|id| self.vocabulary.embedding(*id)).collect())
            }
            fn gradients(&mut self, _: &Encoded, points: &[Vec<f32>]) -> Result<Vec<Gradients>, ScorerError> {
                Ok(gradients(points, |sum| $at(self, sum)))
            }
            fn hidden(&self) -> usize {
                HIDDEN
            }
            fn pad_id(&self) -> u32 {
                0
            }
            fn mask_id(&self) -> Option<u32> {
                Some(1)
            }
        }
    };
}

scorer!(Linear, |model: &Linear, sum: f64| (model.bias + sum, 1.0));
scorer!(Power, |model: &Power, sum: f64| model.at(sum));

//! Scores and gradients for explanations: at points of embedding space, of changed token sequences.
//! Which points and what to make of them is the analysis' business.

use std::collections::HashMap;

use candle_core::{Tensor, Var};

use super::batch::plan;
use super::bert::{Bert, Padded, Path, Words};
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::forward::Row;
use super::fused::Scratch;
use super::heads::{Head, Ranking};
use super::load::Model;
use super::ops;
use super::prefixes::{Prefixes, hide, put};
use super::tokens::Encoded;
use super::workers::{self, Crew};
use crate::util::cancel::Cancel;

/// Tokens per batch of the differentiable path: its graph keeps every intermediate.
const GRADIENT_TOKENS: usize = 512;

/// Value and gradient at one point of embedding space.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointGradient {
    /// [`Head::explained`] of the logits, or how alike the two sides are.
    pub score: f64,
    /// `[tokens x embedding]`, row-major: d score / d (word embedding of the token).
    pub gradient: Vec<f32>,
}

impl Model {
    /// Tokenises what an explanation is about. An encoder reads the two sides apart: the result is
    /// `[CLS] query [SEP]` followed by `[CLS] text [SEP]`, told apart by `sides`.
    pub fn encode(&self, query: &str, text: Option<&str>) -> Result<Encoded, ModelError> {
        match (&self.head, text) {
            (Head::Classifier { .. }, text) => self.tokens.encode(query, text),
            (Head::Embedding(_), Some(text)) => {
                let Prefixes { query: before_query, text: before_text } = &self.info.prefixes;
                let mut both = self.tokens.encode(&put(before_query, query), None)?;
                let mut right = self.tokens.encode(&put(before_text, text), None)?;
                hide(&mut both, before_query);
                hide(&mut right, before_text);
                right.sides.fill(1);
                both.ids.append(&mut right.ids);
                both.type_ids.append(&mut right.type_ids);
                both.special.append(&mut right.special);
                both.sides.append(&mut right.sides);
                both.offsets.append(&mut right.offsets);
                both.tokens.append(&mut right.tokens);
                both.words.append(&mut right.words);
                both.truncated |= right.truncated;
                Ok(both)
            }
            (Head::Embedding(_), None) => Err(ModelError::new(
                ModelErrorKind::Usage,
                format!("{} gives embeddings: one text alone has no score to explain", self.info.name),
            )
            .hint("name a query and a title")),
        }
    }

    /// Word-embedding rows of the ids, `[tokens x embedding]` row-major.
    pub fn embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let bert = self.encoder.differentiable(&self.config)?;
        self.check_ids(ids)?;
        let ids = Tensor::from_slice(ids, ids.len(), bert.device())?;
        Ok(bert.embeddings.word.index_select(&ids, 0)?.flatten_all()?.to_vec1()?)
    }

    /// The score of each token sequence, same order: [`Head::explained`] of `target`, or how alike the two
    /// sides are. Ids may differ from what a text gave; lengths may differ between inputs.
    pub fn score_encoded(
        &self,
        inputs: &[Encoded],
        target: Option<usize>,
        cancel: &Cancel,
    ) -> Result<Vec<f64>, ModelError> {
        self.check_target(target)?;
        let mut rows: Vec<Row> = Vec::new();
        let mut numbers: HashMap<Row, usize> = HashMap::new();
        // A side that perturbation left alone is computed once.
        let mut number = |row| {
            *numbers.entry(row).or_insert_with(|| {
                rows.push(row);
                rows.len() - 1
            })
        };
        let mut of_input: Vec<(usize, usize)> = Vec::with_capacity(inputs.len());
        for input in inputs {
            self.check_ids(&input.ids)?;
            self.check_lengths(input)?;
            let middle = match &self.head {
                Head::Classifier { .. } => input.ids.len(),
                Head::Embedding(_) => split(input)?,
            };
            let first = number((&input.ids[..middle], &input.type_ids[..middle]));
            let second = match middle == input.ids.len() {
                true => first,
                false => number((&input.ids[middle..], &input.type_ids[middle..])),
            };
            of_input.push((first, second));
        }
        let outputs = self.forward_all(&rows, cancel)?;
        let score =
            |(first, second): (usize, usize)| match (&self.head, outputs.get(first), outputs.get(second)) {
                (Head::Classifier { .. }, Some(logits), _) => self.head.explained(logits, target),
                (Head::Embedding(_), Some(a), Some(b)) => self.head.similarity(a, b),
                _ => f64::NAN,
            };
        Ok(of_input.into_iter().map(score).collect())
    }

    /// Scores and gradients at each of `points`: word embeddings `[tokens x embedding]`, row-major, that
    /// stand in for `input`'s ids (positions and token types stay the input's).
    pub fn gradients(
        &self,
        input: &Encoded,
        points: &[Vec<f32>],
        target: Option<usize>,
        cancel: &Cancel,
    ) -> Result<Vec<PointGradient>, ModelError> {
        self.check_target(target)?;
        self.check_lengths(input)?;
        self.encoder.differentiable(&self.config)?;
        self.seat()?.check()?;
        let size = input.ids.len() * self.info.embedding;
        if let Some(wrong) = points.iter().find(|p| p.len() != size) {
            let what = format!("a point has {} numbers, {size} were expected", wrong.len());
            return Err(ModelError::new(ModelErrorKind::Internal, what));
        }
        let per_batch = (GRADIENT_TOKENS / input.ids.len().max(1)).max(1);
        let on_cpu = self.on_cpu();
        let threads = if on_cpu { workers::worker_count(0) } else { 1 };
        // Few points are still spread over all workers.
        let per_batch = per_batch.min(points.len().div_ceil(threads)).max(1);
        let mut all: Vec<PointGradient> = vec![PointGradient::default(); points.len()];
        let mut jobs = points.chunks(per_batch).enumerate();
        workers::run(
            Crew::of(threads),
            || cancel.check().map(|()| jobs.next()).map_err(ModelError::from),
            |_| (),
            |(), (chunk, points)| {
                let found = self.gradient_batch(input, points, target, cancel);
                let found = self.seat().and_then(|seat| seat.charge(found));
                found.map(|found| (chunk, found)).into()
            },
            |(chunk, results)| {
                let at = chunk * per_batch;
                all.iter_mut().skip(at).zip(results).for_each(|(slot, result)| *slot = result);
                Ok(())
            },
        )?;
        Ok(all)
    }

    fn gradient_batch(
        &self,
        input: &Encoded,
        points: &[Vec<f32>],
        target: Option<usize>,
        cancel: &Cancel,
    ) -> Result<Vec<PointGradient>, ModelError> {
        let bert = self.encoder.differentiable(&self.config)?;
        let (n, length, width) = (points.len(), input.ids.len(), self.info.embedding);
        let var = Var::from_vec(points.concat(), (n, length, width), bert.device())?;
        let scores = match &self.head {
            Head::Classifier { .. } => {
                let states = self.states_at(bert, var.as_tensor(), input, 0..length, cancel)?.0;
                self.explained(&bert.logits(&states, None)?, target)?
            }
            Head::Embedding(pooling) => {
                let middle = split(input)?;
                let side = |range: std::ops::Range<usize>| -> Result<Tensor, ModelError> {
                    let part = var.narrow(1, range.start, range.len())?.contiguous()?;
                    let (states, mask) = self.states_at(bert, &part, input, range, cancel)?;
                    pooling.apply(&states, &mask)
                };
                pooling.similarity.of_rows(&side(0..middle)?, &side(middle..length)?)?
            }
        };
        // Rows do not mix, so the gradient of the sum holds each row's own gradient.
        let gradients = scores.sum_all()?.backward()?;
        let missing = || ModelError::new(ModelErrorKind::Internal, "the gradient was cut on its way");
        let gradient = gradients.get(&var).ok_or_else(missing)?.reshape((n, length * width))?;
        let gradient: Vec<Vec<f32>> = gradient.to_vec2()?;
        let scores: Vec<f32> = scores.to_vec1()?;
        Ok(scores
            .into_iter()
            .zip(gradient)
            .map(|(score, gradient)| PointGradient { score: f64::from(score), gradient })
            .collect())
    }

    /// [`Head::explained`] of every row of logits, with a backward pass.
    pub(super) fn explained(&self, logits: &Tensor, target: Option<usize>) -> Result<Tensor, ModelError> {
        let of = |class: usize| logits.narrow(1, class, 1)?.squeeze(1);
        let Head::Classifier { ranking, .. } = &self.head else { return Ok(of(0)?) };
        let class = match (target, ranking) {
            (Some(class), _) => class,
            (None, Ranking::Odds(class)) => *class,
            (None, Ranking::Logit) => 0,
            (None, Ranking::Unordered) => return Err(self.no_score()),
            (None, Ranking::Gains(gains)) => {
                let gains: Vec<f32> = gains.iter().map(|gain| *gain as f32).collect();
                let gains = Tensor::from_slice(&gains, (1, gains.len()), logits.device())?;
                return Ok(ops::softmax(logits)?.broadcast_mul(&gains)?.sum(1)?);
            }
        };
        Ok(if logits.dim(1)? == 2 { (of(class)? - of(1 - class)?)? } else { of(class)? })
    }

    fn no_score(&self) -> ModelError {
        let what = format!("{} gives no score to explain: its classes have no known order", self.info.name);
        let labels = self.head.labels().join(", ");
        ModelError::new(ModelErrorKind::Usage, what).hint(format!(
            "name a class with `target` ({labels}), or what each is worth with `gains` in the score cell"
        ))
    }

    /// Last hidden states at points that stand for tokens `range` of the input, and their mask.
    fn states_at(
        &self,
        bert: &Bert,
        points: &Tensor,
        input: &Encoded,
        range: std::ops::Range<usize>,
        cancel: &Cancel,
    ) -> Result<(Tensor, Tensor), ModelError> {
        let (Some(ids), Some(types)) = (input.ids.get(range.clone()), input.type_ids.get(range)) else {
            return Err(ModelError::new(ModelErrorKind::Internal, "token range outside the input"));
        };
        let rows: Vec<Row> = std::iter::repeat_n((ids, types), points.dim(0)?).collect();
        let batch = Padded::new(&rows, self.tokens.pad_id(), bert.device())?;
        let states = bert.hidden_states(&Words::Embeddings(points), &batch, None, cancel)?;
        Ok((states, batch.mask))
    }

    /// Every row through the fastest path, in length-sorted batches side by side.
    fn forward_all(&self, rows: &[Row], cancel: &Cancel) -> Result<Vec<Vec<f32>>, ModelError> {
        let lengths: Vec<usize> = rows.iter().map(|(ids, _)| ids.len()).collect();
        let on_cpu = self.on_cpu();
        let threads = if on_cpu { workers::worker_count(0) } else { 1 };
        let even = lengths.iter().sum::<usize>().div_ceil(threads).max(1);
        // Whole steps would make batches uneven, of which there may be one per core.
        let budget = if on_cpu { even.min(384) } else { 16_384 };
        let mut batches = plan(&lengths, budget, 1).into_iter();
        let mut all: Vec<Vec<f32>> = vec![Vec::new(); rows.len()];
        workers::run(
            Crew::of(threads),
            || cancel.check().map(|()| batches.next()).map_err(ModelError::from),
            |_| Scratch::default(),
            |scratch, batch: Vec<usize>| {
                let part: Vec<Row> = batch.iter().filter_map(|&i| rows.get(i).copied()).collect();
                let outputs = self.forward(&part, (Path::Fused, Dtype::F32), scratch, cancel);
                outputs.map(|outputs| (outputs, batch)).into()
            },
            |(outputs, batch)| {
                for (i, output) in batch.into_iter().zip(outputs) {
                    if let Some(slot) = all.get_mut(i) {
                        *slot = output;
                    }
                }
                Ok(())
            },
        )?;
        Ok(all)
    }

    fn check_target(&self, target: Option<usize>) -> Result<(), ModelError> {
        let labels = self.head.labels();
        let Some(target) = target else {
            let unordered = matches!(self.head, Head::Classifier { ranking: Ranking::Unordered, .. });
            return if unordered { Err(self.no_score()) } else { Ok(()) };
        };
        if target < labels.len().max(1) {
            return Ok(());
        }
        let what =
            format!("{} has {} classes; class {target} is not one of them", self.info.name, labels.len());
        Err(ModelError::new(ModelErrorKind::Usage, what)
            .hint(format!("classes count from 0: {}", labels.join(", "))))
    }

    fn check_ids(&self, ids: &[u32]) -> Result<(), ModelError> {
        match ids.iter().find(|&&id| id as usize >= self.config.vocab_size) {
            None => Ok(()),
            Some(id) => Err(ModelError::new(
                ModelErrorKind::Internal,
                format!("token id {id} is not in the vocabulary"),
            )),
        }
    }

    fn check_lengths(&self, input: &Encoded) -> Result<(), ModelError> {
        let n = input.ids.len();
        let sides = if matches!(self.head, Head::Embedding(_)) { 2 } else { 1 };
        if n == 0 || input.type_ids.len() != n || n > sides * self.info.max_positions {
            let what = format!("an input of {n} tokens does not fit this model");
            return Err(ModelError::new(ModelErrorKind::Internal, what));
        }
        Ok(())
    }
}

/// Where the second side of a bi-encoder's input starts.
fn split(input: &Encoded) -> Result<usize, ModelError> {
    match input.sides.iter().position(|&side| side == 1) {
        Some(at) if at > 0 && at < input.ids.len() => Ok(at),
        _ => Err(ModelError::new(ModelErrorKind::Internal, "the input lacks one of its two sides")),
    }
}

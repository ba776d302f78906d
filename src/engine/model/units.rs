//! Equal inputs are computed once: which distinct units a job has, which rows need them, and which
//! rows become ready as units finish. Pure.

use std::collections::HashMap;

use super::error::{ModelError, ModelErrorKind};
use super::heads::Head;
use super::score::{ScoreChunk, ScoreInputs};

const NONE: u32 = u32::MAX;

/// One input of the model: a text, or a pair read together.
pub type Unit<'a> = (&'a str, Option<&'a str>);

/// What the special tokens of a short text cost, as bytes of text.
const LEAST_COST: usize = 12;

/// What an input costs the model, in bytes of text: what is cut off costs nothing.
pub fn cost((first, second): Unit, max_tokens: usize) -> usize {
    let bytes = first.len() + second.map_or(0, str::len);
    bytes.min(max_tokens.saturating_mul(8)) + LEAST_COST
}

/// Distinct inputs and which rows need them.
pub struct Units<'a> {
    pub units: Vec<Unit<'a>>,
    /// Per row: its one or two units (`NONE`: only one); `None` for blank rows.
    pub of_row: Vec<Option<(u32, u32)>>,
}

/// Finds equal inputs. A text of only white space counts as blank.
pub fn distinct<'a>(inputs: &ScoreInputs<'a>) -> Result<Units<'a>, ModelError> {
    let mut seen: HashMap<Unit<'a>, u32> = HashMap::new();
    let mut units = Vec::new();
    let mut number = |unit: Unit<'a>| {
        *seen.entry(unit).or_insert_with(|| {
            units.push(unit);
            (units.len() - 1) as u32
        })
    };
    fn present(text: &Option<String>) -> Option<&str> {
        text.as_deref().filter(|t| !t.trim().is_empty())
    }
    let of_row = match *inputs {
        ScoreInputs::Text(texts) => {
            texts.iter().map(|t| Some((number((present(t)?, None)), NONE))).collect::<Vec<_>>()
        }
        ScoreInputs::Pair(queries, texts) => (queries.iter().zip(texts))
            .map(|(q, t)| Some((number((present(q)?, Some(present(t)?))), NONE)))
            .collect(),
        ScoreInputs::Embed(queries, texts) => (queries.iter().zip(texts))
            .map(|(q, t)| {
                let (q, t) = (present(q)?, present(t)?);
                Some((number((q, None)), number((t, None))))
            })
            .collect(),
    };
    if units.len() >= NONE as usize {
        let kind = ModelErrorKind::Resource;
        return Err(ModelError::new(kind, "more than 4 billion distinct inputs in one job"));
    }
    Ok(Units { units, of_row })
}

/// Which rows become ready as units finish.
pub struct Table<'a> {
    head: &'a Head,
    of_row: &'a [Option<(u32, u32)>],
    /// Rows of each unit: `rows[starts[u]..starts[u + 1]]`.
    starts: Vec<usize>,
    rows: Vec<u32>,
    outputs: Vec<Option<Vec<f32>>>,
    /// Rows need two units each, so outputs are kept to the end.
    paired: bool,
}

impl<'a> Table<'a> {
    pub fn new(units: &'a Units, head: &'a Head) -> Self {
        let n = units.units.len();
        let mut starts = vec![0usize; n + 1];
        let each = |visit: &mut dyn FnMut(usize, u32)| {
            for (row, pair) in units.of_row.iter().enumerate() {
                let Some((a, b)) = *pair else { continue };
                visit(a as usize, row as u32);
                if b != NONE && b != a {
                    visit(b as usize, row as u32);
                }
            }
        };
        each(&mut |unit, _| starts[unit + 1] += 1);
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut fill = starts.clone();
        let mut rows = vec![0u32; starts.last().copied().unwrap_or(0)];
        each(&mut |unit, row| {
            rows[fill[unit]] = row;
            fill[unit] += 1;
        });
        let paired = units.of_row.iter().flatten().any(|(_, b)| *b != NONE);
        Self { head, of_row: &units.of_row, starts, rows, outputs: vec![None; n], paired }
    }

    fn empty_chunk(&self) -> ScoreChunk {
        let labels = self.head.labels().len();
        let classes = if labels >= 2 { vec![Vec::new(); labels] } else { Vec::new() };
        ScoreChunk { classes, ..Default::default() }
    }

    pub fn blank_rows(&self) -> ScoreChunk {
        let mut chunk = self.empty_chunk();
        chunk.rows = (0..self.of_row.len()).filter(|&r| self.of_row[r].is_none()).collect();
        chunk.scores = vec![None; chunk.rows.len()];
        chunk.classes.iter_mut().for_each(|class| class.resize(chunk.rows.len(), None));
        chunk
    }

    /// Takes finished units and gives the rows that lack nothing any more.
    pub fn finish(&mut self, done: &[usize], outputs: Vec<Vec<f32>>) -> ScoreChunk {
        let mut chunk = self.empty_chunk();
        for (&unit, output) in done.iter().zip(outputs) {
            // A row of two units is pushed when the second of them gets its output.
            self.outputs[unit] = Some(output);
            for &row in &self.rows[self.starts[unit]..self.starts[unit + 1]] {
                if let Some((a, b)) = self.of_row[row as usize] {
                    self.push(row, a, b, &mut chunk);
                }
            }
            if !self.paired {
                self.outputs[unit] = None;
            }
        }
        chunk
    }

    fn push(&self, row: u32, a: u32, b: u32, chunk: &mut ScoreChunk) {
        let Some(first) = &self.outputs[a as usize] else { return };
        let score = match b {
            NONE => self.head.score(first),
            _ => match &self.outputs[b as usize] {
                Some(second) => Some(self.head.similarity(first, second)),
                None => return,
            },
        };
        chunk.rows.push(row as usize);
        chunk.scores.push(score);
        for (class, logit) in chunk.classes.iter_mut().zip(first) {
            class.push(Some(*logit));
        }
    }
}

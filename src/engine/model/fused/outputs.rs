//! What is read from the last hidden states: a vector per sequence, or a classifier's logits.

use super::rows::gelu;
use super::{FusedBert, Scratch};
use crate::engine::model::error::{ModelError, ModelErrorKind};
use crate::engine::model::family::HeadActivation;
use crate::engine::model::pool::PoolingMode;

impl FusedBert {
    fn activate_head(&self, row: &mut [f32]) {
        match self.head_activation {
            HeadActivation::Tanh => row.iter_mut().for_each(|v| *v = v.tanh()),
            HeadActivation::Relu => row.iter_mut().for_each(|v| *v = v.max(0.0)),
            HeadActivation::Gelu => gelu(self.isa, row),
        }
    }

    pub(super) fn embeddings(
        &self,
        spans: &[(usize, usize)],
        mode: PoolingMode,
        normalise: bool,
        s: &Scratch,
    ) -> Vec<Vec<f32>> {
        let pooled = spans.iter().map(|&(from, to)| {
            let to = if mode == PoolingMode::Cls { from + 1 } else { to };
            let mut sum = vec![0f32; self.hidden];
            for r in from..to {
                sum.iter_mut().zip(s.x.row(r)).for_each(|(slot, v)| *slot += v);
            }
            let length = match normalise {
                // Scaling by the count first would cancel out.
                true => (sum.iter().map(|v| v * v).sum::<f32>() + 1e-24).sqrt(),
                false => (to - from) as f32,
            };
            sum.iter_mut().for_each(|v| *v /= length);
            sum
        });
        pooled.collect()
    }

    pub(super) fn logits(
        &self,
        spans: &[(usize, usize)],
        s: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let (Some(pooler), Some(classifier)) = (&self.pooler, &self.classifier) else {
            return Err(ModelError::new(ModelErrorKind::Internal, "a classifier without its head"));
        };
        let n = spans.len();
        s.context.reshape(n, self.hidden);
        for (r, (from, _)) in spans.iter().enumerate() {
            let first = s.x.row(*from);
            let row = s.context.row_mut(r);
            row[..first.len()].copy_from_slice(first);
        }
        s.out.reshape(n, self.hidden);
        pooler.apply(&s.context, &mut s.out, (0, n));
        for r in 0..n {
            self.activate_head(s.out.row_mut(r));
        }
        s.inner.reshape(n, self.labels);
        classifier.apply(&s.out, &mut s.inner, (0, n));
        Ok((0..n).map(|r| s.inner.row(r)[..self.labels].to_vec()).collect())
    }
}

//! Stock candle: candle-transformers' `BertModel` in the best batches we found for it.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use candle_transformers::models::bert::{BertModel, Config};

use crate::workload::{Inputs, Row};

pub struct Stock {
    bert: BertModel,
    /// Pooler and classifier, which `BertModel` lacks; `None` for an encoder.
    head: Option<(Linear, Linear)>,
}

impl Stock {
    pub fn load(dir: &Path) -> Self {
        let config: Config =
            serde_json::from_slice(&std::fs::read(dir.join("config.json")).unwrap()).unwrap();
        // SAFETY: nothing changes the file while it is mapped.
        let weights = unsafe {
            VarBuilder::from_mmaped_safetensors(&[dir.join("model.safetensors")], DType::F32, &Device::Cpu)
                .unwrap()
        };
        let head = weights.contains_tensor("classifier.weight").then(|| {
            let pooler = linear(config.hidden_size, config.hidden_size, weights.pp("bert.pooler.dense"));
            (pooler.unwrap(), linear(config.hidden_size, 1, weights.pp("classifier")).unwrap())
        });
        Self { bert: BertModel::load(weights, &config).unwrap(), head }
    }

    /// Length-sorted batches of 32 (bigger ones are slower), padded; in row order.
    pub fn outputs(&self, inputs: &Inputs, stride: usize) -> Vec<Vec<f32>> {
        let rows: Vec<&Row> = inputs.rows.iter().step_by(stride).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| rows[i].0.len());
        let mut all = vec![Vec::new(); rows.len()];
        for batch in order.chunks(32) {
            let chosen: Vec<_> = batch.iter().map(|&i| rows[i]).collect();
            for (&i, output) in batch.iter().zip(self.batch(&chosen).to_vec2().unwrap()) {
                all[i] = output;
            }
        }
        all
    }

    fn batch(&self, rows: &[&Row]) -> Tensor {
        let length = rows.iter().map(|row| row.0.len()).max().unwrap();
        let padded = |of: &dyn Fn(&Row, usize) -> u32| -> Tensor {
            let flat: Vec<u32> = rows.iter().flat_map(|row| (0..length).map(|j| of(row, j))).collect();
            Tensor::from_vec(flat, (rows.len(), length), &Device::Cpu).unwrap()
        };
        let ids = padded(&|row, j| row.0.get(j).copied().unwrap_or(0));
        let types = padded(&|row, j| row.1.get(j).copied().unwrap_or(0));
        let mask = padded(&|row, j| u32::from(j < row.0.len()));
        let states = self.bert.forward(&ids, &types, Some(&mask)).unwrap();
        if let Some((pooler, classifier)) = &self.head {
            let first = states.narrow(1, 0, 1).unwrap().squeeze(1).unwrap();
            return classifier.forward(&pooler.forward(&first).unwrap().tanh().unwrap()).unwrap();
        }
        let mask = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
        let sum = states.broadcast_mul(&mask).unwrap().sum(1).unwrap();
        // Normalised, so that dividing by the number of tokens first would change nothing.
        let length = sum.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
        sum.broadcast_div(&length).unwrap()
    }
}

//! FAMILIES: one row per kind of model that we run, told apart by `config.json`. A row is all that is
//! particular to a family: its names in Hugging Face's files, its embedding rules, its head, and
//! which network computes it. Everybody else reads the row; nobody asks for a family by name.

use super::error::{ModelError, ModelErrorKind};

/// Which code computes the hidden states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Our own (`bert.rs`, `fused/`): differentiable, and fused on the CPU.
    Bert,
    /// candle-transformers' ModernBERT: forward only, no entry for embeddings.
    ModernBert,
    /// candle-transformers' DeBERTa: forward only, no entry for embeddings.
    DebertaV2,
}

/// What stands between a classifier's two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadActivation {
    Tanh,
    Relu,
    /// With the error function.
    Gelu,
}

/// How a vocabulary that comes without `tokenizer.json` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// `vocab.txt`, BERT's rules.
    WordPiece,
    /// `vocab.json` and `merges.txt`, RoBERTa's rules.
    ByteBpe,
    /// Only as `tokenizer.json`.
    Converted,
}

/// One kind of model.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// As people write it.
    pub name: &'static str,
    /// `model_type` of config.json.
    pub model_type: &'static str,
    /// What its Python classes begin with: `Roberta` of `RobertaForSequenceClassification`.
    pub class: &'static str,
    pub network: Network,
    pub vocabulary: Vocabulary,
    /// What the encoder's tensors begin with in a file that has a head on top; files of a bare
    /// encoder may lack it.
    pub prefix: &'static str,
    /// Parts of tensor names, ours and theirs. Ours are BERT's.
    pub renamed: &'static [(&'static str, &'static str)],
    /// The head's tensors, which never carry the prefix: ours and theirs.
    pub head: &'static [(&'static str, &'static str)],
    pub head_activation: HeadActivation,
    /// The key of config.json that may name another.
    pub head_activation_key: Option<&'static str>,
    /// Keys of config.json, BERT's and theirs.
    pub keys: &'static [(&'static str, &'static str)],
    pub layer_norm_eps: f64,
    pub pad_id: u32,
    /// Positions count from `pad_id + 1`, as fairseq does; else from 0.
    pub positions_after_pad: bool,
    /// The embedding table may be narrower than the hidden states, with a projection between.
    pub projects: bool,
    /// Token types where config.json is silent; 0: no table of them.
    pub type_vocab: usize,
    /// The two texts of a pair are told apart by token types; else all tokens are of type 0.
    pub token_types: bool,
}

const BERT: Family = Family {
    name: "BERT",
    model_type: "bert",
    class: "Bert",
    network: Network::Bert,
    vocabulary: Vocabulary::WordPiece,
    prefix: "bert.",
    renamed: &[],
    head: &[("classifier", "classifier")],
    head_activation: HeadActivation::Tanh,
    head_activation_key: None,
    keys: &[],
    layer_norm_eps: 1e-12,
    pad_id: 0,
    positions_after_pad: false,
    projects: false,
    type_vocab: 2,
    token_types: true,
};

const ROBERTA: Family = Family {
    name: "RoBERTa",
    model_type: "roberta",
    class: "Roberta",
    vocabulary: Vocabulary::ByteBpe,
    prefix: "roberta.",
    head: &[("pooler.dense", "classifier.dense"), ("classifier", "classifier.out_proj")],
    pad_id: 1,
    positions_after_pad: true,
    token_types: false,
    ..BERT
};

/// Every kind of model that we run.
pub static FAMILIES: [Family; 8] = [
    BERT,
    Family {
        name: "DistilBERT",
        model_type: "distilbert",
        class: "DistilBert",
        prefix: "distilbert.",
        renamed: &[
            ("attention.self.query", "attention.q_lin"),
            ("attention.self.key", "attention.k_lin"),
            ("attention.self.value", "attention.v_lin"),
            ("attention.output.dense", "attention.out_lin"),
            ("attention.output.LayerNorm", "sa_layer_norm"),
            ("intermediate.dense", "ffn.lin1"),
            ("output.dense", "ffn.lin2"),
            ("output.LayerNorm", "output_layer_norm"),
            ("encoder.layer", "transformer.layer"),
        ],
        head: &[("pooler.dense", "pre_classifier"), ("classifier", "classifier")],
        head_activation: HeadActivation::Relu,
        keys: &[
            ("hidden_size", "dim"),
            ("num_hidden_layers", "n_layers"),
            ("num_attention_heads", "n_heads"),
            ("intermediate_size", "hidden_dim"),
            ("hidden_act", "activation"),
            ("hidden_dropout_prob", "dropout"),
            ("attention_probs_dropout_prob", "attention_dropout"),
            ("classifier_dropout", "seq_classif_dropout"),
        ],
        type_vocab: 0,
        token_types: false,
        ..BERT
    },
    ROBERTA,
    Family {
        name: "XLM-RoBERTa",
        model_type: "xlm-roberta",
        class: "XLMRoberta",
        vocabulary: Vocabulary::Converted,
        ..ROBERTA
    },
    Family {
        name: "CamemBERT",
        model_type: "camembert",
        class: "Camembert",
        vocabulary: Vocabulary::Converted,
        ..ROBERTA
    },
    Family {
        name: "ELECTRA",
        model_type: "electra",
        class: "Electra",
        prefix: "electra.",
        renamed: &[("embeddings.project", "embeddings_project")],
        head: &[("pooler.dense", "classifier.dense"), ("classifier", "classifier.out_proj")],
        head_activation: HeadActivation::Gelu,
        projects: true,
        ..BERT
    },
    Family {
        name: "ModernBERT",
        model_type: "modernbert",
        class: "ModernBert",
        network: Network::ModernBert,
        vocabulary: Vocabulary::Converted,
        prefix: "model.",
        head: &[("pooler.dense", "head.dense"), ("pooler.norm", "head.norm"), ("classifier", "classifier")],
        head_activation: HeadActivation::Gelu,
        head_activation_key: Some("classifier_activation"),
        keys: &[
            ("hidden_act", "hidden_activation"),
            ("layer_norm_eps", "norm_eps"),
            ("hidden_dropout_prob", "embedding_dropout"),
            ("attention_probs_dropout_prob", "attention_dropout"),
        ],
        layer_norm_eps: 1e-5,
        type_vocab: 0,
        token_types: false,
        ..BERT
    },
    Family {
        name: "DeBERTa-v2",
        model_type: "deberta-v2",
        class: "DebertaV2",
        network: Network::DebertaV2,
        vocabulary: Vocabulary::Converted,
        prefix: "deberta.",
        head: &[("pooler.dense", "pooler.dense"), ("classifier", "classifier")],
        head_activation: HeadActivation::Gelu,
        head_activation_key: Some("pooler_hidden_act"),
        layer_norm_eps: 1e-7,
        type_vocab: 0,
        ..BERT
    },
];

impl Family {
    /// The family of this `model_type`.
    pub fn of_type(model_type: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.model_type == model_type)
    }

    /// The family of a Python class, and what it makes of the encoder: `Model`,
    /// `ForSequenceClassification`.
    pub fn of_class(class: &str) -> Option<(&'static Family, &str)> {
        FAMILIES.iter().find_map(|family| {
            let task = class.strip_prefix(family.class)?;
            (task == "Model" || task.starts_with("For")).then_some((family, task))
        })
    }

    /// The family's key for BERT's key of config.json.
    pub fn key(&self, ours: &'static str) -> &'static str {
        self.keys.iter().find(|(bert, _)| *bert == ours).map_or(ours, |(_, theirs)| theirs)
    }

    /// The name in a file of the tensor that we call `ours`, where the encoder's names are `prefixed`.
    pub fn file_name(&self, ours: &str, prefixed: bool) -> String {
        let of_head = self.head.iter().find_map(|(head, theirs)| {
            let rest = ours.strip_prefix(head)?;
            rest.starts_with('.').then(|| format!("{theirs}{rest}"))
        });
        of_head.unwrap_or_else(|| {
            let mut name = ours.to_owned();
            for (bert, theirs) in self.renamed {
                name = name.replace(bert, theirs);
            }
            if prefixed { format!("{}{name}", self.prefix) } else { name }
        })
    }

    /// Whether the encoder itself may have a pooler that no head of the family's is (BERT's).
    pub fn encoder_may_pool(&self) -> bool {
        self.network == Network::Bert && !self.head.iter().any(|(ours, _)| *ours == "pooler.dense")
    }
}

/// What a message about an unknown kind of model offers instead.
pub fn supported() -> String {
    let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    format!(
        "supported are {}, each as an encoder (e.g. BertModel) or a classifier (e.g. \
         BertForSequenceClassification)",
        names.join(", ")
    )
}

/// Sound, but not something we run.
pub fn unsupported(what: impl std::fmt::Display) -> ModelError {
    ModelError::new(ModelErrorKind::Unsupported, format!("{what} is not supported")).hint(supported())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_type_and_by_its_classes() {
        for family in &FAMILIES {
            assert_eq!(Family::of_type(family.model_type), Some(family));
            let class = format!("{}ForSequenceClassification", family.class);
            assert_eq!(Family::of_class(&class), Some((family, "ForSequenceClassification")));
            assert_eq!(Family::of_class(&format!("{}Model", family.class)), Some((family, "Model")));
        }
        for other in
            ["BertGenerationEncoder", "RobertaPreLayerNormModel", "DebertaModel", "XLMRobertaXLModel"]
        {
            assert_eq!(Family::of_class(other), None, "{other}");
        }
    }

    #[test]
    fn names_in_files_are_those_that_transformers_writes() {
        let name = |model_type: &str, ours| Family::of_type(model_type).unwrap().file_name(ours, true);
        let layer = "encoder.layer.11.attention.output.LayerNorm.weight";
        assert_eq!(name("bert", layer), "bert.encoder.layer.11.attention.output.LayerNorm.weight");
        assert_eq!(name("distilbert", layer), "distilbert.transformer.layer.11.sa_layer_norm.weight");
        let out = "encoder.layer.0.output.LayerNorm.bias";
        assert_eq!(name("distilbert", out), "distilbert.transformer.layer.0.output_layer_norm.bias");
        assert_eq!(name("distilbert", "pooler.dense.bias"), "pre_classifier.bias");
        assert_eq!(name("xlm-roberta", "pooler.dense.weight"), "classifier.dense.weight");
        assert_eq!(name("xlm-roberta", "classifier.weight"), "classifier.out_proj.weight");
        assert_eq!(name("electra", "embeddings.project.bias"), "electra.embeddings_project.bias");
        assert_eq!(name("bert", "pooler.dense.bias"), "bert.pooler.dense.bias");
    }
}

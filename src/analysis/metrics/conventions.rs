//! CONVENTIONS: whose rules a figure follows, as one table that describes itself. It drives
//! `recscope eval --convention`, the `convention` key of metrics cells, the convention lens and the
//! docs. What a rule does to the SQL is in `rules.rs`.

use super::{Denominator, Duplicates, Empty, Gains, MetricsRequest, Missing, Rules, Scores, Ties, Unjudged};

/// A preset: what it sets, and where that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convention {
    pub id: &'static str,
    /// One line.
    pub doc: &'static str,
    pub ties: Ties,
    pub empty: Empty,
    pub rules: Rules,
    pub source: &'static str,
}

const OWN: Rules = Rules {
    gains: Gains::Given,
    denominator: Denominator::Relevant,
    missing: Missing::Counted,
    unjudged: Unjudged::NotRelevant,
    duplicates: Duplicates::Best,
    scores: Scores::Double,
};

/// Every preset; the first is the default.
pub const CONVENTIONS: &[Convention] = &[
    Convention {
        id: "recscope",
        doc: "every judged query counts; what does not exist is n/a and counted; ties by item id",
        ties: Ties::Docid,
        empty: Empty::NotAvailable,
        rules: OWN,
        source: "this program",
    },
    Convention {
        id: "trec",
        doc: "queries in both files; nothing relevant is 0; ties by item id, descending, of scores in 32 bits; whole gains; duplicates refused",
        ties: Ties::Docid,
        empty: Empty::Zero,
        rules: Rules {
            gains: Gains::Whole,
            missing: Missing::Dropped,
            duplicates: Duplicates::Refused,
            scores: Scores::Single,
            ..OWN
        },
        source: "trec_eval 9: form_res_rels.c, get_qrels.c (atol), no -c; its scores are floats, those of trec_eval 10 are doubles",
    },
    Convention {
        id: "ir_measures",
        doc: "every judged query; missing or nothing relevant is 0; ties by item id, of scores in 32 bits; whole gains; the last duplicate",
        ties: Ties::Docid,
        empty: Empty::Zero,
        rules: Rules { gains: Gains::Whole, duplicates: Duplicates::Last, scores: Scores::Single, ..OWN },
        source: "ir_measures with pytrec_eval as provider",
    },
    Convention {
        id: "ranx",
        doc: "every judged query; missing or nothing relevant is 0; ties as logged; whole gains; the last duplicate",
        ties: Ties::Logged,
        empty: Empty::Zero,
        rules: Rules { gains: Gains::Whole, duplicates: Duplicates::Last, ..OWN },
        source: "ranx evaluate with make_comparable, without which missing queries are an error",
    },
    Convention {
        id: "recbole",
        doc: "binary gains; map@k divided by min(R, k); users with nothing relevant left out; ties as logged",
        ties: Ties::Logged,
        empty: Empty::NotAvailable,
        rules: Rules { gains: Gains::Binary, denominator: Denominator::AtMostCutoff, ..OWN },
        source: "RecBole evaluator/metrics.py; torch.topk leaves ties in no stated order",
    },
    Convention {
        id: "esci-paper",
        doc: "E, S, C, I are worth 1, 0.1, 0.01, 0",
        ties: Ties::Docid,
        empty: Empty::NotAvailable,
        rules: Rules { gains: Gains::Esci { substitute: 0.1, complement: 0.01 }, ..OWN },
        source: "Reddy et al. 2022, Shopping Queries Dataset; esci-data ranking/train.py",
    },
    Convention {
        id: "esci-script",
        doc: "E, S, C, I are worth 1, 0.01, 0.1, 0 (S and C swapped); unjudged items taken out; nothing relevant is 0",
        ties: Ties::Docid,
        empty: Empty::Zero,
        rules: Rules {
            gains: Gains::Esci { substitute: 0.01, complement: 0.1 },
            unjudged: Unjudged::Condensed,
            ..OWN
        },
        source: "esci-data prepare_trec_eval_files.py (E 4, S 2, C 3, I 1) and terrier trec_eval -c -J -m ndcg.1=0,2=0.01,3=0.1,4=1",
    },
    Convention {
        id: "seed",
        doc: "clicked or not; ties as logged; lists of which nothing was shown are no lists; 0/0 is n/a",
        ties: Ties::Logged,
        empty: Empty::NotAvailable,
        rules: Rules { gains: Gains::Binary, missing: Missing::Dropped, ..OWN },
        source: "seed text",
    },
];

/// The preset of this id.
pub fn convention(id: &str) -> Option<&'static Convention> {
    CONVENTIONS.iter().find(|convention| convention.id.eq_ignore_ascii_case(id.trim()))
}

impl Convention {
    /// The same request under this convention.
    pub fn apply(&self, request: &MetricsRequest) -> MetricsRequest {
        let mut request = request.clone();
        request.rows.ties = self.ties;
        request.rows.rules = self.rules;
        request.empty = self.empty;
        request
    }

    /// Each rule in words, for the docs: what it is about, what this preset does.
    pub fn rules(&self) -> [(&'static str, String); 8] {
        let gains = match self.rules.gains {
            Gains::Given => "as given, linear (`ndcg`) or exponential (`ndcg_exp`)".to_owned(),
            Gains::Whole => "cut to whole numbers".to_owned(),
            Gains::Binary => "1 from relevant_at on, else 0".to_owned(),
            Gains::Esci { substitute, complement } => {
                format!("E 1, S {substitute}, C {complement}, I 0; numbers as given")
            }
        };
        let words = |text: &str| text.to_owned();
        [
            (
                "ties",
                words(match self.ties {
                    Ties::Docid => "by item id, descending",
                    Ties::Logged => "as logged",
                    Ties::Expected => "expected value over all orders",
                }),
            ),
            ("gains", gains),
            (
                "map@k is divided by",
                words(match self.rules.denominator {
                    Denominator::Relevant => "R",
                    Denominator::AtMostCutoff => "min(R, k)",
                }),
            ),
            (
                "judged queries without results",
                words(match self.rules.missing {
                    Missing::Counted => "count: nothing was found",
                    Missing::Dropped => "are left out",
                }),
            ),
            (
                "queries with nothing relevant",
                words(match self.empty {
                    Empty::NotAvailable => "n/a where the metric divides by what is relevant",
                    Empty::Zero => "0",
                }),
            ),
            (
                "unjudged items",
                words(match self.rules.unjudged {
                    Unjudged::NotRelevant => "gain 0",
                    Unjudged::Condensed => "taken out of the list",
                    Unjudged::Gain(_) => "given a gain",
                }),
            ),
            (
                "duplicates",
                words(match self.rules.duplicates {
                    Duplicates::Best => "the best-ranked stays",
                    Duplicates::Last => "the last row stays",
                    Duplicates::Refused => "refused",
                }),
            ),
            (
                "scores are compared",
                words(match self.rules.scores {
                    Scores::Double => "in 64 bits, as given",
                    Scores::Single => "in 32 bits: closer ones are tied",
                }),
            ),
        ]
    }
}

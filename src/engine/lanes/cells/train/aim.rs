//! What a train cell learns: its objective, by the cell's word or by the head of the model it starts from,
//! and what a row's label is worth under it.

use super::super::Work;
use super::Labelled;
use crate::engine::model::train::{Example, Objective};
use crate::engine::model::{BertConfig, Layout};
use crate::notebook::spec::TrainSpec;
use crate::protocol::Problem;
use crate::terms::TrainObjective;

/// An objective, and how labels become targets.
pub(super) struct Aim {
    pub objective: Objective,
    /// What was decided for the reader.
    pub note: Option<String>,
    labels: Vec<String>,
}

impl Aim {
    /// `labels`: of the data, in order.
    pub fn of(work: &Work, spec: &TrainSpec, labels: Vec<String>) -> Result<Self, Problem> {
        let head = only_output(work, spec);
        let name = head.clone().unwrap_or_else(|| spec.label.clone());
        let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
        let within = numbers.as_ref().is_some_and(|all| all.iter().all(|n| (0.0..=1.0).contains(n)));
        let (chosen, note) = match (spec.objective, &head) {
            (TrainObjective::ByModel, None) => (TrainObjective::Classes, None),
            (TrainObjective::ByModel, Some(_)) => match (&numbers, labels.len()) {
                (Some(_), _) if within => told(TrainObjective::Binary, "labels from 0 to 1"),
                (Some(_), _) => told(TrainObjective::Value, "grades"),
                (None, 2) => told(TrainObjective::Binary, "two labels"),
                // The model says that its head was replaced.
                (None, _) => (TrainObjective::Classes, None),
            },
            (own @ (TrainObjective::Classes | TrainObjective::Binary | TrainObjective::Value), _) => {
                (own, None)
            }
        };
        let wrong = |what: &str, hint: &str| Err(work.usage(what).hint(hint));
        let objective = match chosen {
            TrainObjective::ByModel | TrainObjective::Classes => Objective::Classes(labels.clone()),
            TrainObjective::Binary if within || (numbers.is_none() && labels.len() == 2) => {
                Objective::Binary(name)
            }
            TrainObjective::Binary => {
                return wrong(
                    "objective = \"binary\" needs labels from 0 to 1, or two",
                    "make one in an SQL cell (grade >= 2 AS relevant), name two with `labels`, or take objective = \"value\"",
                );
            }
            TrainObjective::Value if numbers.is_some() => Objective::Value(name),
            TrainObjective::Value => {
                return wrong(
                    "objective = \"value\" needs labels that are numbers",
                    "make them numbers in an SQL cell (CASE label WHEN ... END AS grade), or take objective = \"classes\"",
                );
            }
        };
        Ok(Self { objective, note, labels })
    }

    /// A row with its target: the class's number, or the label's own.
    pub fn example(&self, work: &Work, row: Labelled) -> Result<Example, Problem> {
        let place = || {
            let hint = format!("labels: {}; leave such rows out with `where`", self.labels.join(", "));
            let found = self.labels.iter().position(|label| *label == row.label);
            let what = || format!("a row is labelled {:?}, which is not one of `labels`", row.label);
            found.map(|at| at as f64).ok_or_else(|| work.usage(what()).hint(hint))
        };
        let target = match self.objective {
            Objective::Classes(_) => place()?,
            Objective::Binary(_) | Objective::Value(_) => match row.label.parse::<f64>() {
                Ok(number) => number,
                Err(_) => place()?,
            },
        };
        Ok(Example { query: row.query, text: row.text, target })
    }
}

fn told(objective: TrainObjective, why: &str) -> (TrainObjective, Option<String>) {
    let name = match objective {
        TrainObjective::Binary => "binary (one logit, sigmoid cross-entropy)",
        TrainObjective::Value => "value (one value, squared error)",
        TrainObjective::Classes | TrainObjective::ByModel => "classes",
    };
    let note =
        format!("objective: {name}, because the model has one output and the data {why}; its head is kept");
    (objective, Some(note))
}

/// The name of the start model's output where it has one alone. What is wrong with the folder is said where
/// it is opened.
fn only_output(work: &Work, spec: &TrainSpec) -> Option<String> {
    let folder = work.workspace.model_folder(&spec.model).ok()?;
    let layout = Layout::of(&folder).ok()?;
    let config = BertConfig::read(&layout.transformer.join("config.json")).ok()?;
    match config.labels.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

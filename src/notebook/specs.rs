//! From a cell's checked values to its request (`spec.rs`): roles from the schema, defaults, and the
//! rules that tie several keys together.

mod compare;
mod sql;

use super::cells;
use super::check::Check;
use super::params::{self, Params};
use super::spec::{
    CellSpec, CheckSpec, DevSplit, ExplainSpec, FairnessSpec, Input, MetricsSpec, Roles, ScoreSpec,
    SlicesSpec, TextInput, TrainSpec,
};
use super::values::Values;
use super::{Cell, Diagnostic, Kind};

/// What the cell asks for, as far as it can be told, and what is wrong with it.
pub(super) fn read(cell: &Cell, schema: &Roles, params: &Params) -> (Option<CellSpec>, Vec<Diagnostic>) {
    let read: Read = match cell.kind {
        Kind::Sql => return sql::read(cell, params),
        Kind::Score => |values, _, _| score(values).map(CellSpec::Score),
        Kind::Metrics => |values, schema, checks| Some(CellSpec::Metrics(metrics(values, schema, checks))),
        Kind::Fairness => |values, schema, checks| fairness(values, schema, checks).map(CellSpec::Fairness),
        Kind::Slices => |values, schema, checks| slices(values, schema, checks).map(CellSpec::Slices),
        Kind::Compare => {
            |values, schema, checks| compare::compare(values, schema, checks).map(CellSpec::Compare)
        }
        Kind::Explain => |values, _, _| explain(values).map(CellSpec::Explain),
        Kind::Train => |values, schema, checks| train(values, schema, checks).map(CellSpec::Train),
        Kind::Check => |values, _, checks| Some(CellSpec::Check(check(values, checks))),
        Kind::Robust
        | Kind::Quality
        | Kind::Drift
        | Kind::Privacy
        | Kind::Prepare
        | Kind::Behaviour
        | Kind::Recommend
        | Kind::Label
        | Kind::Chart => return (None, vec![reserved(cell)]),
    };
    let mut values = Values::read(cell, cells::def(cell.kind), params);
    for key in ["where", "order", "dev"] {
        sql_params(cell, &mut values, key, params);
    }
    let checks = checks(&mut values);
    let spec = read(&mut values, schema, checks);
    if values.broken {
        values.faults.truncate(1);
    }
    (spec, values.faults)
}

/// Makes a kind's request of a body, the schema's roles and the checks.
type Read = fn(&mut Values<'_>, &Roles, Vec<String>) -> Option<CellSpec>;

fn reserved(cell: &Cell) -> Diagnostic {
    let ready: Vec<&str> = cells::CELLS.iter().map(|def| def.kind.name()).collect();
    let message = format!("`{}` cells are reserved for a later version", cell.kind);
    let hint = format!("the cell is kept as it is; kinds that run: {}", ready.join(", "));
    Diagnostic::error(cell.line, 1, message).suggest(hint).in_cell(&cell.name)
}

fn check(values: &mut Values<'_>, checks: Vec<String>) -> CheckSpec {
    // One that is missing is told like every key that must be there.
    if checks.is_empty() && values.has("check") {
        let hint = "e.g. check = [\"rows(bad_queries) < 10\"]".to_string();
        values.fault("check", "this check checks nothing", Some(hint));
    }
    CheckSpec { checks }
}

/// Unknown parameters in an SQL key.
fn sql_params(cell: &Cell, values: &mut Values<'_>, key: &str, params: &Params) {
    let Some(sql) = values.text(key) else { return };
    for name in params::bind(&sql).names.iter().filter(|name| params.get(name).is_none()) {
        let fault = cell.fault(values.offset(key), format!("there is no parameter `{name}`"));
        values.faults.push(fault.suggest_from(name, params.iter().map(|(name, _)| name)));
    }
}

fn checks(values: &mut Values<'_>) -> Vec<String> {
    let checks = values.list("check");
    if checks.is_empty() && values.has("check") && values.kind() != Kind::Check {
        values.warn("check", "this list of checks is empty: nothing is checked");
    }
    for check in &checks {
        if let Err(error) = Check::parse(check) {
            let hint = format!("column {} of `{check}`", error.column);
            values.fault("check", error.message, Some(hint));
        }
    }
    checks
}

fn input(values: &Values<'_>) -> Input {
    Input { from: values.text("from").unwrap_or_default(), filter: values.text("where") }
}

/// `pair`, `text` or `embed`: exactly one, none allowed where `optional`.
fn text_input(values: &mut Values<'_>, optional: bool) -> Option<TextInput> {
    let named: Vec<&str> = ["pair", "text", "embed"].into_iter().filter(|key| values.has(key)).collect();
    match named[..] {
        [] if !optional => {
            let ways = [
                ("pair", "pair = [\"query\", \"title\"]"),
                ("text", "text = \"title\""),
                ("embed", "embed = [\"query\", \"title\"]"),
            ];
            // Not every kind embeds.
            let known = ways.into_iter().filter(|(key, _)| values.knows(key)).map(|(_, example)| example);
            let hint = format!("e.g. {}", known.collect::<Vec<_>>().join(" or "));
            values.fault("", "the text that the model reads is missing", Some(hint));
        }
        [_, second, ..] => {
            let hint = "keep one of pair, text and embed".to_string();
            values.fault(second, format!("`{}` contradict each other", named.join("` and `")), Some(hint));
        }
        _ => {}
    }
    let two = |key| <[String; 2]>::try_from(values.list(key)).ok();
    if let Some([query, title]) = two("pair") {
        return Some(TextInput::Pair(query, title));
    }
    if let Some(text) = values.text("text") {
        return Some(TextInput::Text(text));
    }
    two("embed").map(|[query, title]| TextInput::Embed(query, title))
}

/// Two prefixes; they belong to embeddings.
fn prefixes(values: &mut Values<'_>, text: Option<&TextInput>) -> Option<(String, String)> {
    let [query, title] = <[String; 2]>::try_from(values.list("prefixes")).ok()?;
    if matches!(text, Some(TextInput::Pair(..) | TextInput::Text(_))) {
        let hint = "they stand before texts that are embedded: embed = [\"query\", \"title\"]".to_string();
        values.fault("prefixes", "`prefixes` belong to `embed`", Some(hint));
    }
    Some((query, title))
}

fn gains(values: &mut Values<'_>, text: Option<&TextInput>) -> Option<Vec<(String, f64)>> {
    let gains = values.numbers("gains")?;
    if matches!(text, Some(TextInput::Embed(..))) {
        let hint = "the score of `embed` is a cosine, which has no classes".to_string();
        values.fault("gains", "`gains` belong to `pair` and `text`", Some(hint));
    }
    Some(gains)
}

fn score(values: &mut Values<'_>) -> Option<ScoreSpec> {
    let text = text_input(values, false);
    let prefixes = prefixes(values, text.as_ref());
    let gains = gains(values, text.as_ref());
    device(values);
    Some(ScoreSpec {
        input: input(values),
        model: values.text("model")?,
        text: text?,
        device: values.text("device"),
        dtype: values.text("dtype"),
        prefixes,
        gains,
        max_tokens: values.int("max_tokens").map(|n| n as usize),
        batch_tokens: values.int("batch_tokens").map(|n| n as usize),
        order: values.text("order"),
        limit: values.int("limit").map(|n| n as u64),
    })
}

fn device(values: &mut Values<'_>) {
    let Some(device) = values.text("device") else { return };
    let number = |n: &str| n.trim().parse::<u8>().is_ok();
    let gpus = device.strip_prefix("cuda:");
    let known = gpus.is_some_and(|list| list == "all" || list.split(',').all(number));
    if !known && !["auto", "cpu", "cuda", "metal"].contains(&device.as_str()) {
        let meant = "auto, cpu, metal, cuda:0, cuda:0,1 or cuda:all";
        values.fault("device", format!("there is no device `{device}`"), Some(meant.into()));
    }
}

/// The cell's roles over the schema's. Naming `label` sets the schema's gain aside, naming the rank
/// sets its score aside: the author has chosen.
fn roles(values: &mut Values<'_>, schema: &Roles) -> Roles {
    let mut roles = schema.clone();
    if values.has("label") && !values.has("gain") {
        roles.gain = None;
    }
    let rank = if values.has("rank") { "rank" } else { "position" };
    if values.has("rank") && values.has("position") {
        values.fault("position", "`rank` and `position` are the same", Some("keep one".into()));
    }
    if values.has(rank) && !values.has("score") {
        roles.score = None;
    }
    let keys = ["query", "item", "user", "score", "label", "gain", "purchase", "time"];
    let logged = ["propensity", "target", "reward", "q_logged", "q_target", "examination"];
    roles.clip = values.float("clip");
    let further = ["revenue", "margin", "category", "embedding", "published", "other"];
    for (role, key) in
        keys.into_iter().chain(logged).chain(further).map(|key| (key, key)).chain([("position", rank)])
    {
        if let (Some(column), Some(slot)) = (values.text(key), roles.slot(role)) {
            *slot = Some(column);
        }
    }
    roles
}

fn show(values: &Values<'_>) -> Vec<String> {
    match values.list("show") {
        show if show.is_empty() => ["ndcg@10", "mrr", "precision@10"].map(String::from).to_vec(),
        show => show,
    }
}

fn metrics(values: &mut Values<'_>, schema: &Roles, checks: Vec<String>) -> MetricsSpec {
    if values.has("convention") && values.has("ties") {
        values.fault(
            "ties",
            "a convention says how ties are ordered",
            Some("leave `ties` or `convention` out".into()),
        );
    }
    MetricsSpec {
        input: input(values),
        roles: roles(values, schema),
        relevant_at: values.float("relevant_at").unwrap_or(1.0),
        show: show(values),
        by: values.list("by"),
        ties: values.choice("ties"),
        interval: values.choice("interval"),
        convention: values.text("convention"),
        bounds: values.flag("bounds").unwrap_or_default(),
        resamples: values.int("resamples").unwrap_or(1000) as u32,
        seed: seed(values),
        checks,
    }
}

fn seed(values: &Values<'_>) -> u64 {
    values.int("seed").unwrap_or(42) as u64
}

fn fairness(values: &mut Values<'_>, schema: &Roles, checks: Vec<String>) -> Option<FairnessSpec> {
    let (slices, suppliers) = (slice_columns(values, "slices"), slice_columns(values, "suppliers"));
    if suppliers.is_empty() && values.has("supplier_metric") {
        let hint = "name their columns, e.g. suppliers = [\"brand\"]".to_string();
        values.fault("supplier_metric", "no suppliers are named", Some(hint));
    }
    Some(FairnessSpec {
        input: input(values),
        roles: roles(values, schema),
        relevant_at: values.float("relevant_at").unwrap_or(1.0),
        ties: values.choice("ties"),
        slices,
        metric: values.text("metric")?,
        suppliers,
        supplier_metric: values.text("supplier_metric").unwrap_or_else(|| "exposure_per_utility".into()),
        min_support: values.int("min_support").unwrap_or(30) as u64,
        resamples: values.int("resamples").unwrap_or(1000) as u32,
        permutations: values.int("permutations").unwrap_or(1000) as u32,
        seed: seed(values),
        checks,
    })
}

/// Columns, and intersections of columns, each once.
fn slice_columns(values: &mut Values<'_>, key: &str) -> Vec<Vec<String>> {
    let mut slices: Vec<Vec<String>> = Vec::new();
    for slice in values.list(key) {
        let columns: Vec<String> = slice.split('*').map(|column| column.trim().to_string()).collect();
        if columns.iter().any(String::is_empty) {
            let hint = "write `column` or `column*column`".to_string();
            values.fault(key, format!("`{slice}` is not a slice"), Some(hint));
        } else if !slices.contains(&columns) {
            slices.push(columns);
        }
    }
    if slices.is_empty() && values.has(key) {
        values.fault(key, "no slice is named", Some(format!("e.g. {key} = [\"region\"]")));
    }
    slices
}

fn slices(values: &mut Values<'_>, schema: &Roles, checks: Vec<String>) -> Option<SlicesSpec> {
    if values.has("over") && values.list("over").is_empty() {
        let hint = "name columns, or leave `over` out to slice by every usable one".to_string();
        values.fault("over", "no column is named", Some(hint));
    }
    Some(SlicesSpec {
        input: input(values),
        roles: roles(values, schema),
        relevant_at: values.float("relevant_at").unwrap_or(1.0),
        ties: values.choice("ties"),
        metric: values.text("metric")?,
        over: values.list("over"),
        text: values.list("text"),
        depth: values.int("depth").unwrap_or(3) as usize,
        min_support: values.int("min_support").unwrap_or(50) as u64,
        top: values.int("top").unwrap_or(20) as usize,
        alpha: values.float("alpha").unwrap_or(0.05),
        adjust: values.choice("adjust"),
        seed: seed(values),
        checks,
    })
}

fn explain(values: &mut Values<'_>) -> Option<ExplainSpec> {
    let text = text_input(values, true);
    let prefixes = prefixes(values, text.as_ref());
    Some(ExplainSpec {
        input: input(values),
        order: values.text("order"),
        limit: values.int("limit").unwrap_or(5) as u64,
        method: values.choice("method"),
        model: values.text("model"),
        text,
        prefixes,
        nodes: values.int("nodes").map(|n| n as usize),
        target: values.text("target"),
    })
}

fn train(values: &mut Values<'_>, schema: &Roles, checks: Vec<String>) -> Option<TrainSpec> {
    let text = text_input(values, false);
    if values.has("dev") && values.has("dev_from") {
        values.fault("dev_from", "`dev` and `dev_from` contradict each other", Some("keep one".into()));
    }
    let dev = match (values.text("dev_from"), values.text("dev"), values.float("dev")) {
        (Some(from), ..) => DevSplit::From(from),
        (_, Some(predicate), _) => DevSplit::Where(predicate),
        (.., share) => DevSplit::Share(share.unwrap_or(0.1)),
    };
    let label = values.text("label").or_else(|| schema.label.clone());
    if label.is_none() {
        let hint = "e.g. label = \"relevant\", or `label` in the front matter's schema".to_string();
        values.fault("", "`label` is missing: the column of the class", Some(hint));
    }
    let labels = values.list("labels");
    Some(TrainSpec {
        input: input(values),
        dev,
        model: values.text("model")?,
        text: text?,
        label: label?,
        labels: (!labels.is_empty()).then_some(labels),
        objective: values.choice("objective"),
        out: values.text("out")?,
        overwrite: values.flag("overwrite").unwrap_or(false),
        epochs: values.int("epochs").unwrap_or(3) as usize,
        batch: values.int("batch").unwrap_or(16) as usize,
        learning_rate: values.float("learning_rate").unwrap_or(2e-5),
        weight_decay: values.float("weight_decay").unwrap_or(0.01),
        warmup: values.float("warmup").unwrap_or(0.1),
        clip: values.float("clip").unwrap_or(1.0),
        dropout: values.float("dropout").unwrap_or(0.1),
        max_tokens: values.int("max_tokens").unwrap_or(128) as usize,
        seed: seed(values),
        checks,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Notebook;
    use super::*;

    fn read_one(text: &str) -> (Option<CellSpec>, String) {
        let notebook = Notebook::parse(text);
        let (params, _) = notebook.params(&[]);
        let (spec, faults) = notebook.read_cell(notebook.cell("x").unwrap(), &params);
        (spec, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn schema_fills_silent_roles_and_the_cell_wins() {
        let front = "---\nschema: { query: q, item: sku, gain: grade, score: s }\nparams: { k: 5 }\n---\n";
        let (spec, faults) = read_one(&format!(
            "{front}```metrics x\nfrom = \"a\"\nrank = \"pos\"\nlabel = \"clicked\"\nshow = \"ndcg@{{{{k}}}}\"\n```\n"
        ));
        assert_eq!(faults, "");
        let Some(CellSpec::Metrics(spec)) = spec else { panic!() };
        assert_eq!(spec.roles.query.as_deref(), Some("q"));
        assert_eq!(spec.roles.position.as_deref(), Some("pos"));
        assert_eq!((spec.roles.score, spec.roles.gain), (None, None));
        assert_eq!(spec.show, ["ndcg@5"]);
    }

    #[test]
    fn the_other_side_is_optional_but_needs_its_columns() {
        let cell = |more: &str| {
            read_one(&format!("```fairness x\nfrom = \"a\"\nslices = \"r\"\nmetric = \"mrr\"\n{more}```\n"))
        };
        let (Some(CellSpec::Fairness(spec)), _) = cell("suppliers = [\"brand*shop\", \"brand\"]\n") else {
            panic!()
        };
        assert_eq!(spec.suppliers, [vec!["brand".to_owned(), "shop".into()], vec!["brand".into()]]);
        assert_eq!(spec.supplier_metric, "exposure_per_utility");
        let (_, faults) = cell("supplier_metric = \"exposure\"\n");
        assert!(faults.contains("5:19: x: no suppliers are named"), "{faults}");
        let (_, faults) = cell("suppliers = [\"brand*\"]\n");
        assert!(faults.contains("`brand*` is not a slice"), "{faults}");
    }

    #[test]
    fn faults_have_line_column_and_suggestion() {
        let (_, faults) = read_one("# x\n```fairness x\nfrom = \"a\"\nslice = [\"b\"]\nmetric = 3\n```\n");
        assert!(
            faults.contains("4:1: x: a fairness cell has no key `slice` (did you mean `slices`?)"),
            "{faults}"
        );
        assert!(faults.contains("5:10: x: `metric` takes a metric id, not 3"), "{faults}");
        assert!(faults.contains("`slices` is missing"), "{faults}");
    }

    #[test]
    fn slices_have_defaults_and_limits() {
        let (spec, faults) = read_one("```slices x\nfrom = \"a\"\nmetric = \"ctr\"\n```\n");
        assert_eq!(faults, "");
        let Some(CellSpec::Slices(spec)) = spec else { panic!() };
        assert_eq!((spec.depth, spec.min_support, spec.top, spec.alpha), (3, 50, 20, 0.05));
        assert!(
            spec.over.is_empty() && spec.text.is_empty() && spec.adjust == crate::terms::Adjustment::Hochberg
        );
        let text =
            "```slices x\nfrom = \"a\"\nmetric = \"ctr\"\ndepth = 4\nadjust = \"holm\"\nover = []\n```\n";
        let (_, faults) = read_one(text);
        assert!(faults.contains("`depth` is 4; it takes a whole number from 1 to 3"), "{faults}");
        assert!(faults.contains("`adjust` takes one of bh, by"), "{faults}");
        assert!(faults.contains("no column is named"), "{faults}");
    }

    #[test]
    fn broken_toml_names_its_place() {
        let (_, faults) = read_one("```metrics x\nfrom = \"a\nshow = [\"mrr\"]\n```\n");
        assert!(faults.starts_with("2:"), "{faults}");
        assert!(faults.contains("not valid TOML"), "{faults}");
    }

    #[test]
    fn where_keeps_its_parameters_and_unknown_ones_are_named() {
        let (spec, faults) = read_one(
            "---\nparams: { k: 5 }\n---\n```explain x\nfrom = \"a\"\nwhere = \"position <= {{k}}\"\nlimit = \"{{k}}\"\n```\n",
        );
        assert_eq!(faults, "");
        let Some(CellSpec::Explain(spec)) = spec else { panic!() };
        assert_eq!(spec.input.filter.as_deref(), Some("position <= {{k}}"));
        assert_eq!(spec.limit, 5);
        let (_, faults) = read_one("---\nparams: { kk: 5 }\n---\n```sql x\nSELECT {{k}}\n```\n");
        assert!(faults.contains("5:8: x: there is no parameter `k`"), "{faults}");
        let (_, faults) = read_one("---\nparams: { k: 5 }\n---\n```sql x\nSELECT '{{k}}'\n```\n");
        assert!(faults.contains("without quotes"), "{faults}");
    }

    #[test]
    fn contradictions_are_named() {
        let (_, faults) =
            read_one("```score x\nfrom = \"a\"\nmodel = \"m\"\npair = [\"q\", \"t\"]\ntext = \"t\"\n```\n");
        assert!(faults.contains("`pair` and `text` contradict"), "{faults}");
        let (_, faults) = read_one("```score x\nfrom = \"a\"\nmodel = \"m\"\n```\n");
        assert!(faults.contains("the text that the model reads is missing"), "{faults}");
        let (_, faults) = read_one("```score x\nfrom=\"a\"\nmodel=\"m\"\ntext=\"t\"\ndevice=\"gpu\"\n```\n");
        assert!(faults.contains("no device `gpu`"), "{faults}");
        for (device, known) in [("cuda:0,1", true), ("cuda:all", true), ("metal", true), ("cuda:0,", false)] {
            let text = format!("```score x\nfrom=\"a\"\nmodel=\"m\"\ntext=\"t\"\ndevice=\"{device}\"\n```\n");
            assert_eq!(!read_one(&text).1.contains("no device"), known, "{device}");
        }
        let scored = |line: &str| {
            let text = format!("```score x\nfrom=\"a\"\nmodel=\"m\"\n{line}\n```\n");
            let (spec, faults) = read_one(&text);
            (spec, faults)
        };
        let (_, faults) = scored("text=\"t\"\nprefixes=[\"a\",\"b\"]");
        assert!(faults.contains("`prefixes` belong to `embed`"), "{faults}");
        let (_, faults) = scored("embed=[\"q\",\"t\"]\ngains={ a = 1 }");
        assert!(faults.contains("`gains` belong to"), "{faults}");
        let (_, faults) = scored("text=\"t\"\ngains={ a = \"x\" }");
        assert!(faults.contains("numbers by name"), "{faults}");
        let (_, faults) = read_one("```check x\ncheck = [\"a >\"]\n```\n");
        assert!(faults.contains("column 4"), "{faults}");
    }

    #[test]
    fn prefixes_keep_their_spaces_and_gains_their_order() {
        let body = "from=\"a\"\nmodel=\"m\"\nembed=[\"q\",\"t\"]\nprefixes=[\"query: \", \"\"]\n";
        let (Some(CellSpec::Score(spec)), faults) = read_one(&format!("```score x\n{body}```\n")) else {
            panic!()
        };
        assert_eq!((spec.prefixes, faults.as_str()), (Some(("query: ".into(), "".into())), ""));
        let body = "from=\"a\"\nmodel=\"m\"\ntext=\"t\"\ngains={ \"完全\" = 1, b = 0.5 }\n";
        let (Some(CellSpec::Score(spec)), faults) = read_one(&format!("```score x\n{body}```\n")) else {
            panic!()
        };
        assert_eq!(faults, "");
        assert_eq!(spec.gains, Some(vec![("完全".into(), 1.0), ("b".into(), 0.5)]));
    }

    #[test]
    fn reserved_kinds_say_so() {
        let (spec, faults) = read_one("```drift x\nanything at all\n```\n");
        assert!(spec.is_none());
        assert!(faults.contains("reserved"), "{faults}");
    }

    #[test]
    fn train_splits_three_ways() {
        let dev = |line: &str| {
            let body = format!("from=\"a\"\nmodel=\"m\"\ntext=\"t\"\nlabel=\"y\"\nout=\"o\"\n{line}\n");
            match read_one(&format!("```train x\n{body}```\n")) {
                (Some(CellSpec::Train(spec)), faults) if faults.is_empty() => spec.dev,
                (_, faults) => panic!("{faults}"),
            }
        };
        assert_eq!(dev(""), DevSplit::Share(0.1));
        assert_eq!(dev("dev = 0.25"), DevSplit::Share(0.25));
        assert_eq!(dev("dev = \"split = 'dev'\""), DevSplit::Where("split = 'dev'".into()));
        assert_eq!(dev("dev_from = \"b\""), DevSplit::From("b".into()));
    }
}

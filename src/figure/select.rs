//! Which runs stand for a panel: runs with different settings are never averaged, and none is dropped unsaid.

use super::reported::Subject;
use super::runs::{RunEntry, Scan};
use crate::run::view::Status;
use crate::spec::{RunSpec, Scenario, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Which runs a figure asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// The scenario.
    pub scenario: Scenario,
    /// Dotted path of the setting that differs from row to row.
    pub rows: &'a str,
    /// Dotted path of the setting that differs from column to column.
    pub columns: &'a str,
    /// The defenses, each once.
    pub defenses: Vec<&'a str>,
    /// The least epoch that a run must have come to.
    pub first_epoch: u64,
    /// Values of `data.name`; empty: any.
    pub data: Vec<&'a str>,
    /// Dotted path of a setting of the defense over which its runs are spread.
    pub along: Option<&'a str>,
    /// Settings with the only values that they may have.
    pub held: Vec<(&'a str, f64)>,
    /// Runs with these settings (see [`settings`]) come before all others: those that the figure itself names.
    pub own: BTreeSet<String>,
}

impl Wanted<'_> {
    fn names(&self, run: &RunEntry) -> bool {
        !self.own.is_empty() && self.own.contains(&settings(&run.spec, |_| true))
    }
}

/// The runs of one defense in one panel.
#[derive(Clone, Debug)]
pub struct Half<'a> {
    /// The defense.
    pub defense: &'a str,
    /// Value of the setting over which runs are spread, where the figure has one.
    pub at: Option<f64>,
    /// Runs that differ in their seed alone, by seed; empty where there is none.
    pub runs: Vec<&'a RunEntry>,
}

/// One panel's runs.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// Value of the setting that makes rows.
    pub row: String,
    /// Value of the setting that makes columns.
    pub column: String,
    /// One entry for each defense of the figure, in its order.
    pub halves: Vec<Half<'a>>,
    /// Runs of the same cell that are not drawn, with the reason.
    pub left_out: Vec<LeftOut<'a>>,
}

/// A run that is not drawn.
#[derive(Clone, Debug)]
pub struct LeftOut<'a> {
    /// The run.
    pub run: &'a RunEntry,
    /// Why, in words.
    pub why: String,
    /// Paths of the settings that differ from those of the runs drawn, where that is why.
    pub settings: Vec<String>,
}

impl<'a> LeftOut<'a> {
    pub(super) fn new(run: &'a RunEntry, why: impl Into<String>) -> Self {
        Self { run, why: why.into(), settings: Vec::new() }
    }

    /// Of `own` settings that `keep` keeps, some are otherwise than in `chosen`: the first three are named.
    pub(super) fn differing(run: &'a RunEntry, chosen: &RunSpec, own: &RunSpec, keep: impl Fn(&str) -> bool) -> Self {
        let (chosen, own) = (flat(chosen), flat(own));
        let other: Vec<_> = own.iter().filter(|(p, v)| keep(p) && chosen.get(*p) != Some(v)).collect();
        let mut words: Vec<String> = other.iter().take(3).map(|(p, v)| format!("{p} = {v}")).collect();
        words.extend((other.len() > 3).then(|| format!("and {} more", other.len() - 3)));
        Self { run, why: words.join(", "), settings: other.into_iter().map(|(path, _)| path.clone()).collect() }
    }
}

/// The cells of a figure for which there is a run, in no particular order.
pub fn cells<'a>(scan: &'a Scan, wanted: &Wanted<'a>) -> Vec<Cell<'a>> {
    let mut groups: BTreeMap<(String, String), Vec<&RunEntry>> = BTreeMap::new();
    for run in scan.runs.iter().filter(|run| belongs(run, wanted)) {
        groups.entry((value(&run.spec, wanted.rows), value(&run.spec, wanted.columns))).or_default().push(run);
    }
    groups.into_iter().map(|((row, column), runs)| cell(row, column, runs, wanted)).collect()
}

/// What reported numbers of `cells` are looked up by.
pub fn subjects(cells: &[Cell]) -> Vec<Subject> {
    let first = |cell: &Cell| cell.halves.iter().flat_map(|half| &half.runs).next().map(|run| Subject::of(&run.spec));
    cells.iter().filter_map(first).collect()
}

fn belongs(run: &RunEntry, wanted: &Wanted) -> bool {
    run.view.stage == Some(Stage::Defense)
        && run.spec.scenario == wanted.scenario
        && wanted.defenses.contains(&run.spec.defense.name())
        && (wanted.data.is_empty() || wanted.data.contains(&run.spec.data.name()))
        && wanted.held.iter().all(|(path, held)| numeric(&run.spec, path) == Some(*held))
        && run.view.epochs.iter().any(|p| p.epoch >= wanted.first_epoch as f64)
}

/// The value of the setting at `path`, as text.
pub fn value(spec: &RunSpec, path: &str) -> String {
    spec.get(path).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default()
}

/// The value of the setting at `path`, where it is a number.
pub fn numeric(spec: &RunSpec, path: &str) -> Option<f64> {
    let value = spec.get(path)?;
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

fn cell<'a>(row: String, column: String, runs: Vec<&'a RunEntry>, wanted: &Wanted<'a>) -> Cell<'a> {
    let mut left_out = Vec::new();
    // All defenses of a panel start from the same kind of backdoored model.
    let covering = |runs: &[&RunEntry]| {
        let covered = |keep: &dyn Fn(&RunEntry) -> bool| {
            wanted.defenses.iter().filter(|d| runs.iter().any(|r| r.spec.defense.name() == **d && keep(r))).count()
        };
        (covered(&|run| wanted.names(run)), covered(&|_| true), spread(runs, wanted), rank(runs))
    };
    let (model, others) = best(runs, |run| settings(&run.spec, |path| !path.starts_with("defense.")), covering);
    if let Some(first) = model.first() {
        left_out.extend(others.into_iter().map(|run| LeftOut::differing(run, &first.spec, &run.spec, |path| !path.starts_with("defense."))));
    }
    let model = one_start_a_seed(model, covering, &mut left_out);
    let mut halves = Vec::new();
    for defense in wanted.defenses.iter().copied() {
        let of_defense = model.iter().copied().filter(|run| run.spec.defense.name() == defense).collect();
        let compared = |path: &str| Some(path) != wanted.along;
        let score = |runs: &[&RunEntry]| (runs.iter().any(|run| wanted.names(run)), spread(runs, wanted), rank(runs));
        let (same, others) = best(of_defense, |run| settings(&run.spec, compared), score);
        if let Some(first) = same.first() {
            left_out.extend(others.into_iter().map(|run| LeftOut::differing(run, &first.spec, &run.spec, compared)));
        }
        for (at, runs) in split(same, wanted) {
            halves.push(Half { defense, at, runs: drawn(runs, &mut left_out) });
        }
    }
    Cell { row, column, halves, left_out }
}

/// How many values of the setting that the figure spreads them over `runs` have.
fn spread(runs: &[&RunEntry], wanted: &Wanted) -> usize {
    split(runs.to_vec(), wanted).len()
}

/// `runs` by the value of the setting that the figure spreads them over, the smallest first.
fn split<'a>(runs: Vec<&'a RunEntry>, wanted: &Wanted) -> Vec<(Option<f64>, Vec<&'a RunEntry>)> {
    let Some(path) = wanted.along else { return vec![(None, runs)] };
    let mut parts: Vec<(Option<f64>, Vec<&RunEntry>)> = Vec::new();
    for run in runs {
        let Some(value) = numeric(&run.spec, path) else { continue };
        match parts.iter_mut().find(|(at, _)| *at == Some(value)) {
            Some((_, runs)) => runs.push(run),
            None => parts.push((Some(value), vec![run])),
        }
    }
    parts.sort_by(|a, b| a.0.unwrap_or_default().total_cmp(&b.0.unwrap_or_default()));
    parts
}

/// Of each seed, the runs that started from one and the same backdoored model. There are several where a data set's
/// images have changed, which its settings do not tell.
fn one_start_a_seed<'a, S: Ord>(runs: Vec<&'a RunEntry>, score: impl Fn(&[&'a RunEntry]) -> S, left_out: &mut Vec<LeftOut<'a>>) -> Vec<&'a RunEntry> {
    let mut seeds: BTreeMap<u64, Vec<&RunEntry>> = BTreeMap::new();
    for run in runs {
        seeds.entry(run.spec.seed).or_default().push(run);
    }
    let mut kept = Vec::new();
    for runs in seeds.into_values() {
        let (same, others) = best(runs, |run| run.parent.clone().unwrap_or_default(), &score);
        left_out.extend(others.into_iter().map(|run| LeftOut::new(run, "from another backdoored model of the same settings and seed")));
        kept.extend(same);
    }
    kept
}

/// The group of runs with equal `key` that scores highest, and all other runs.
pub(super) fn best<'a, S: Ord>(
    runs: Vec<&'a RunEntry>,
    key: impl Fn(&RunEntry) -> String,
    score: impl Fn(&[&'a RunEntry]) -> S,
) -> (Vec<&'a RunEntry>, Vec<&'a RunEntry>) {
    let mut groups: BTreeMap<String, Vec<&RunEntry>> = BTreeMap::new();
    for run in runs {
        groups.entry(key(run)).or_default().push(run);
    }
    let chosen = groups.iter().max_by_key(|(_, group)| score(group)).map(|(key, _)| key.clone());
    let chosen = chosen.and_then(|key| groups.remove(&key)).unwrap_or_default();
    (chosen, groups.into_values().flatten().collect())
}

/// More finished runs are better; of as many, the newest.
pub(super) fn rank(runs: &[&RunEntry]) -> (usize, u64) {
    let complete = runs.iter().filter(|r| r.finished() && !r.steered()).count();
    (complete, runs.iter().map(|r| r.view.clock_ms.1).max().unwrap_or_default())
}

/// Of runs with the same settings, those that are drawn: finished ones, else unfinished ones, averaged over seeds;
/// else the newest of those that were steered, alone.
pub(super) fn drawn<'a>(runs: Vec<&'a RunEntry>, left_out: &mut Vec<LeftOut<'a>>) -> Vec<&'a RunEntry> {
    let (steered, plain): (Vec<_>, Vec<_>) = runs.into_iter().partition(|r| r.steered());
    let (finished, unfinished): (Vec<_>, Vec<_>) = plain.into_iter().partition(|r| r.finished());
    let (mut chosen, rest) = if finished.is_empty() { (unfinished, Vec::new()) } else { (finished, unfinished) };
    left_out.extend(rest.into_iter().map(|r| LeftOut::new(r, standing(r))));
    if chosen.is_empty() {
        let mut steered = steered;
        steered.sort_by_key(|r| (r.finished(), r.view.clock_ms.1));
        chosen.extend(steered.pop());
        left_out.extend(steered.into_iter().map(|r| LeftOut::new(r, "steered by hand, and a newer one is drawn")));
        return chosen;
    }
    left_out.extend(steered.into_iter().map(|r| LeftOut::new(r, "steered by hand")));
    one_a_seed(chosen, left_out)
}

fn one_a_seed<'a>(mut runs: Vec<&'a RunEntry>, left_out: &mut Vec<LeftOut<'a>>) -> Vec<&'a RunEntry> {
    runs.sort_by_key(|r| (r.spec.seed, std::cmp::Reverse(r.view.clock_ms.1)));
    let mut chosen: Vec<&RunEntry> = Vec::new();
    for run in runs {
        match chosen.last() {
            Some(last) if last.spec.seed == run.spec.seed => {
                left_out.push(LeftOut::new(run, format!("the same seed and settings as {}, which is newer", last.id)))
            }
            _ => chosen.push(run),
        }
    }
    chosen
}

/// Where a run stands, in a word.
pub fn standing(run: &RunEntry) -> &'static str {
    match run.view.status {
        Status::Finished => "finished",
        Status::Stopped => "stopped early",
        Status::Failed(_) => "failed",
        Status::Paused => "paused",
        Status::Empty | Status::Running => "unfinished",
    }
}

/// Dotted path and value of every setting that decides a result, the seed aside.
pub(super) fn flat(spec: &RunSpec) -> BTreeMap<String, String> {
    fn walk(table: &toml::Table, prefix: &str, out: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => walk(inner, &format!("{prefix}{key}."), out),
                other => drop(out.insert(format!("{prefix}{key}"), other.to_string())),
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(&spec.to_table(), "", &mut out);
    out.retain(|path, _| path != "seed" && !path.starts_with("watch."));
    out
}

/// The settings at the paths that `keep` keeps, as one text.
pub(super) fn settings(spec: &RunSpec, keep: impl Fn(&str) -> bool) -> String {
    flat(spec).into_iter().filter(|(path, _)| keep(path)).map(|(path, value)| format!("{path}={value};")).collect()
}

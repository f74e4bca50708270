//! Models side by side, the backdoored one and those that defenses cleaned: their names and looks, and which runs stand for
//! each (paper Figures 10, 11 and 14 to 17; spec.md section 9).

use crate::figure::names::shown;
use crate::figure::palette;
use crate::figure::reported::{self, Subject};
use crate::figure::runs::RunEntry;
use crate::figure::scene::{Colour, Dash, Look, Marker};
use crate::figure::select::{LeftOut, best, drawn, rank, settings};
use crate::spec::{Defense, Scenario};
use std::collections::BTreeMap;

/// The model that no defense has cleaned.
pub(super) const BACKDOORED: &str = "backdoored";
/// What has no backdoor to begin with, with its name in legends.
const CLEAN: [(&str, &str, Colour, Marker); 2] =
    [("clean", "clean model", Colour::Black, Marker::CircleHollow), ("scratch", "from scratch", Colour::Grey, Marker::SquareHollow)];
/// Lines in turn, so that neighbours in a legend differ in print without colours.
const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashes, Dash::DashDot, Dash::Dots];

/// Every model, in the order of legends.
pub(super) fn all() -> Vec<String> {
    let clean = CLEAN.iter().map(|(name, ..)| *name);
    clean.chain([BACKDOORED]).chain(Defense::NAMES.iter().copied()).map(str::to_owned).collect()
}

/// Whether there is such a model: `clean`, `scratch`, `backdoored`, or a defense.
pub(in crate::figure) fn exists(name: &str) -> bool {
    name == BACKDOORED || CLEAN.iter().any(|(n, ..)| *n == name) || Defense::NAMES.contains(&name)
}

/// What it is called among reported numbers.
pub(super) fn reported(name: &str) -> &str {
    match name {
        BACKDOORED => reported::UNDEFENDED,
        "clean" => reported::CLEAN,
        other => other,
    }
}

/// Its name in a legend.
pub(in crate::figure) fn label(name: &str) -> String {
    CLEAN.iter().find(|(n, ..)| *n == name).map_or_else(|| shown("defense.name", name), |(_, label, ..)| (*label).to_owned())
}

/// Its mark and, by its place among others, its line.
pub(in crate::figure) fn look(name: &str, place: usize) -> Look {
    let dash = Some(DASHES[place % DASHES.len()]);
    match CLEAN.iter().find(|(n, ..)| *n == name) {
        Some((_, _, colour, marker)) => Look { colour: *colour, marker: Some(*marker), dash: Some(Dash::Solid), width: 1.5, ..Look::default() },
        None if name == BACKDOORED => Look { dash, width: 1.1, ..palette::undefended() },
        None => Look { dash, width: 1.1, ..palette::defense(name) },
    }
}

/// The runs of one panel, or of panels that differ in `apart` alone.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    /// By model, and then by the value in which panels differ: runs that differ in their seed alone, by seed.
    pub runs: BTreeMap<(String, String), Vec<&'a RunEntry>>,
    /// Runs that are not drawn.
    pub left_out: Vec<LeftOut<'a>>,
}

/// A run with the model that it stands for.
pub(super) type Candidate<'a> = (&'a RunEntry, String);

/// Of runs of one attack on one data set those that are drawn: of one attack's settings and one set of images, for each
/// model of one defense's settings. `apart`: a setting in which panels differ, by its dotted path.
pub(super) fn choose<'a>(candidates: Vec<Candidate<'a>>, apart: Option<&str>) -> Chosen<'a> {
    let model = |run: &RunEntry| candidates.iter().find(|(r, _)| r.id == run.id).map_or_else(String::new, |(_, model)| model.clone());
    let of_attack = |path: &str| Some(path) != apart && !path.starts_with("defense.");
    let own = |path: &str| Some(path) != apart;
    let value = |run: &RunEntry| apart.and_then(|path| run.spec.get(path)).map(|v| v.to_string()).unwrap_or_default();
    let mut chosen = Chosen::default();
    let all: Vec<&RunEntry> = candidates.iter().map(|(run, _)| *run).collect();
    let covering = |runs: &[&RunEntry]| {
        let mut there: Vec<(String, String)> = runs.iter().map(|run| (model(run), value(run))).collect();
        there.sort();
        there.dedup();
        (there.len(), rank(runs))
    };
    let standalone = |run: &RunEntry, keep: &dyn Fn(&str) -> bool| settings(&run.spec.standalone(), keep);
    let start = |run: &RunEntry| format!("{} {}", run.view.facts.fingerprint, standalone(run, &of_attack));
    let (same, others) = best(all, start, covering);
    if let Some(first) = same.first() {
        chosen.left_out.extend(others.into_iter().map(|run| reason(first, run, of_attack)));
    }
    let mut models: BTreeMap<String, Vec<&RunEntry>> = BTreeMap::new();
    same.into_iter().for_each(|run| models.entry(model(run)).or_default().push(run));
    for (name, runs) in models {
        // Nothing that a defense is set to decides a model that it did not make.
        let made = |path: &str| own(path) && (Defense::NAMES.contains(&name.as_str()) || !path.starts_with("defense."));
        let (same, others) = best(runs, |run| standalone(run, &made), rank);
        if let Some(first) = same.first() {
            chosen.left_out.extend(others.into_iter().map(|run| reason(first, run, made)));
        }
        let mut values: BTreeMap<String, Vec<&RunEntry>> = BTreeMap::new();
        same.into_iter().for_each(|run| values.entry(value(run)).or_default().push(run));
        for (value, runs) in values {
            chosen.runs.insert((name.clone(), value), drawn(runs, &mut chosen.left_out));
        }
    }
    chosen
}

/// Why `other` is not drawn beside `first`.
fn reason<'a>(first: &RunEntry, other: &'a RunEntry, keep: impl Fn(&str) -> bool) -> LeftOut<'a> {
    let apart = LeftOut::differing(other, &first.spec.standalone(), &other.spec.standalone(), keep);
    if apart.settings.is_empty() { LeftOut::new(other, "of other images") } else { apart }
}

/// A note for each reason.
pub(super) fn left_out(left_out: &[LeftOut]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    left_out.iter().for_each(|entry| reasons.entry(&entry.why).or_default().push(&entry.run.id));
    let list = |ids: &[&str]| match ids.len() {
        0..=3 => ids.join(", "),
        n => format!("{} and {} more", ids[..2].join(", "), n - 2),
    };
    reasons.into_iter().map(|(why, ids)| format!("Not drawn ({why}): {}.", list(&ids))).collect()
}

/// Names of all models of `order` that are among `there`, in that order.
pub(super) fn present(order: &[String], there: impl Fn(&str) -> bool) -> Vec<&str> {
    order.iter().map(String::as_str).filter(|name| there(name)).collect()
}

/// What reported numbers of an attack on a data set are looked up by.
pub(super) fn subject(data: &str, attack: &str) -> Subject {
    Subject { scenario: Scenario::Standalone, data: data.to_owned(), downstream: None, attack: attack.to_owned() }
}

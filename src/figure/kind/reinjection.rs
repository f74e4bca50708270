//! Re-injection: attack success rate over epochs, a panel for each poison ratio, a curve for each model that the backdoor is
//! put into (paper Figures 11 and 14 to 17; spec.md 5.2).

use super::curves::{at_epoch, last_epoch, looked, mean};
use super::models::{self, Candidate, Chosen};
use crate::figure::names::{order, shown};
use crate::figure::preset::{Again, Measure, Reinjection};
use crate::figure::reported::{self, About, Collection, Subject};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Axis, Panel, Role, Scene, Series};
use crate::figure::select::standing;
use crate::figure::ticks::{grouped, number};
use crate::sequela::reinjection::{self as again, LEVELS};
use crate::spec::{Stage, Start};
use crate::statistics::Summary;

/// The model to compare with.
const CLEAN: &str = Start::Clean.name();
/// The setting in which panels differ.
const RATIO: &str = "attack.poison_ratio";

/// One data set.
struct Set<'a> {
    name: String,
    chosen: Chosen<'a>,
}

/// The panels and notes; `None` where no run belongs to the figure.
pub fn scene(preset: &Reinjection, scan: &Scan, reported: &[Collection]) -> Option<Scene> {
    let mut names: Vec<String> = candidates(preset, scan).iter().map(|(run, _)| run.spec.data.name().to_owned()).collect();
    names.sort_by_key(|name| (order("data.name", name), name.clone()));
    names.dedup();
    let of = |name: String| {
        let runs = candidates(preset, scan).into_iter().filter(|(run, _)| run.spec.data.name() == name).collect();
        Set { chosen: models::choose(runs, Some(RATIO)), name }
    };
    let sets: Vec<Set> = names.into_iter().map(of).collect();
    if sets.is_empty() {
        return None;
    }
    let mut panels = Vec::new();
    let mut footnotes = Vec::new();
    for set in &sets {
        let one: Vec<Panel> = preset.ratios.iter().map(|ratio| panel(preset, set, *ratio, reported)).collect();
        footnotes.extend(notes(preset, set, &one));
        panels.extend(one);
    }
    let subjects: Vec<Subject> = sets.iter().map(|set| models::subject(&set.name, &preset.attack)).collect();
    footnotes.extend(reported::notes(reported, &subjects, &panels, About::Reinjection));
    // As in the paper two by two; several data sets stand one under the other.
    let columns = if sets.len() == 1 { 2 } else { preset.ratios.len() };
    Some(Scene { columns, panels, footnotes, ..Scene::default() })
}

/// One panel of runs that are watched: those of `attack` at `ratio`, over at least `epochs`; none before the first has begun.
pub fn watched(scan: &Scan, attack: &str, ratio: f64, epochs: u64) -> Option<Panel> {
    let preset = Reinjection {
        attack: attack.to_owned(),
        ratios: vec![ratio],
        epochs,
        reduced: Again::default(),
        models: models::all(),
        x: "epoch".to_owned(),
        y: "attack success rate".to_owned(),
    };
    let panel = scene(&preset, scan, &[])?.panels.into_iter().next().filter(|panel| panel.absent.is_none())?;
    let last = panel.series.iter().flat_map(|s| &s.points).map(|p| p.x).fold(epochs as f64, f64::max);
    Some(Panel { title: format!("poison ratio {}", number(ratio)), x: Axis::counted(&preset.x, 0.0, last, 5, 0.02), ..panel })
}

/// Runs of the figure, each with the model that it put the backdoor into.
fn candidates<'a>(preset: &Reinjection, scan: &'a Scan) -> Vec<Candidate<'a>> {
    let belongs = |run: &&RunEntry| {
        let known = preset.ratios.iter().any(|ratio| is(run, *ratio));
        run.view.stage == Some(Stage::Reinjection) && run.spec.attack.name() == preset.attack && known && !run.view.epochs.is_empty()
    };
    let model = |run: &'a RunEntry| Some((run, run.view.facts.reinjection.as_ref()?.model().to_owned()));
    scan.runs.iter().filter(belongs).filter_map(model).filter(|(_, model)| preset.models.contains(model)).collect()
}

fn is(run: &RunEntry, ratio: f64) -> bool {
    (run.spec.attack.poison_ratio / ratio - 1.0).abs() < 1e-9
}

/// The runs of a model at a ratio.
fn runs<'s, 'a>(set: &'s Set<'a>, model: &str, ratio: f64) -> &'s [&'a RunEntry] {
    let found = set.chosen.runs.iter().find(|((name, _), runs)| name == model && runs.first().is_some_and(|run| is(run, ratio)));
    found.map_or(&[], |(_, runs)| runs)
}

fn panel(preset: &Reinjection, set: &Set, ratio: f64, reported: &[Collection]) -> Panel {
    let there = |model: &str| set.chosen.runs.keys().any(|(name, _)| name == model);
    let series = |(place, model): (usize, &str)| {
        let runs = runs(set, model, ratio);
        let of = |epoch| mean(epoch, runs.iter().filter_map(|run| at_epoch(run, epoch, Measure::Asr)).collect());
        let points = looked(runs).map(of);
        Series { label: models::label(model), look: models::look(model, place), points: points.collect() }
    };
    let models = models::present(&preset.models, there);
    let subject = models::subject(&set.name, &preset.attack);
    let again = |(place, model): (usize, &&str)| {
        let own = models::look(model, place);
        reported::injected_again(reported, &subject, (models::reported(model), ratio), (&models::label(model), own))
    };
    let mut all: Vec<Series> = models.iter().enumerate().flat_map(again).collect();
    all.extend(models.iter().copied().enumerate().map(series).filter(|s| !s.points.is_empty()));
    let last = set.chosen.runs.values().flatten().map(|run| last_epoch(run)).max().unwrap_or(1);
    Panel {
        title: format!("{}, poison ratio {}", shown("data.name", &set.name), number(ratio)),
        x: Axis::counted(&preset.x, 0.0, last as f64, 5, if last > 0 { 0.02 } else { 0.0 }),
        y: Axis::linear(&preset.y, 0.0, 1.0, 5, 0.035),
        absent: all.is_empty().then(|| "not run".to_owned()),
        series: all,
        stretch: 1.0,
        ..Panel::default()
    }
}

/// The small print of one data set.
fn notes(preset: &Reinjection, set: &Set, panels: &[Panel]) -> Vec<String> {
    let Some(first) = set.chosen.runs.values().flatten().next() else { return Vec::new() };
    let a = &first.spec.attack;
    let data = shown("data.name", &set.name);
    let mut notes = vec![format!(
        "{data}: {}, the attack's own trigger and recipe again: batch {} at learning rate {}, its schedule from the beginning; target class {}; new poisoned images. Device: {}.",
        shown("model.name", first.spec.model.name()),
        a.batch,
        number(a.lr),
        a.target,
        first.view.facts.device
    )];
    let levels = preset.ratios.iter().zip(panels).filter(|(_, panel)| panel.absent.is_none());
    notes.extend(levels.map(|(ratio, panel)| format!("{data}, ratio {}: {}.", number(*ratio), reached(set, *ratio, panel))));
    notes.extend(preset.ratios.iter().filter_map(|ratio| Some(format!("{data}, ratio {}: {}", number(*ratio), against_clean(preset, set, *ratio)?))));
    notes.extend(seeds(set));
    notes.extend(models::left_out(&set.chosen.left_out));
    notes
}

/// How many images are poisoned, and after how many epochs the mean ASR first is at each level.
fn reached(set: &Set, ratio: f64, panel: &Panel) -> String {
    let first = set.chosen.runs.values().flatten().find(|run| is(run, ratio));
    let poisoned = first.map_or(0, |run| run.view.facts.poisoned_images);
    let epoch = |series: &Series, level: f64| series.points.iter().find(|p| p.y >= level).map_or_else(|| "not reached".to_owned(), |p| number(p.x));
    let of = |series: &Series| format!("{} {} ({})", series.label, epoch(series, LEVELS[0]), epoch(series, LEVELS[1]));
    let list: Vec<String> = panel.series.iter().filter(|s| s.look.role != Role::Reported).map(of).collect();
    let images = match poisoned {
        0 => "no image of an epoch is poisoned, there is no backdoor to learn".to_owned(),
        1 => "1 image of an epoch is poisoned".to_owned(),
        n => format!("{} images of an epoch are poisoned", grouped(n as u64)),
    };
    format!("{images}; epochs to an ASR of {} ({}): {}", LEVELS[0], LEVELS[1], list.join(", "))
}

/// Whether each model takes the backdoor faster than a clean one, with seeds and 95% intervals; none without a clean model.
fn against_clean(preset: &Reinjection, set: &Set, ratio: f64) -> Option<String> {
    let paces = |model: &str| Summary::of(&runs(set, model, ratio).iter().filter_map(|run| again::pace(&run.view)).collect::<Vec<_>>());
    let clean = paces(CLEAN)?;
    let others = preset.models.iter().filter(|model| *model != CLEAN && *model != Start::Scratch.name());
    let models: Vec<(String, Summary)> = others.filter_map(|model| Some((models::label(model), paces(model)?))).collect();
    if models.is_empty() {
        return None;
    }
    let first = "mean ASR after the first and later epochs";
    if clean.n == 1 && models.iter().all(|(_, own)| own.n == 1) {
        let list: Vec<String> = models.iter().map(|(name, own)| format!("{name} {:.2}", own.mean)).collect();
        return Some(format!("{first}, one seed each, which alone tells nothing: {}; the clean model {:.2}.", list.join(", "), clean.mean));
    }
    let of = |summary: &Summary| {
        let interval = summary.interval().map_or_else(String::new, |(low, high)| format!(" [{low:.2}, {high:.2}]"));
        format!("{:.2}{interval}, n = {}", summary.mean, summary.n)
    };
    let list: Vec<String> = models.iter().map(|(name, own)| format!("{name} {} ({})", of(own), again::faster(own, &clean).words())).collect();
    Some(format!("{first}, with 95% intervals over seeds: {}; the clean model {}.", list.join("; "), of(&clean)))
}

/// Seeds behind the curves, and runs that did not end.
fn seeds(set: &Set) -> Vec<String> {
    let mut counts: Vec<usize> = set.chosen.runs.values().map(Vec::len).collect();
    counts.sort_unstable();
    let words = |n: usize| if n == 1 { "1 seed".to_owned() } else { format!("{n} seeds") };
    let data = shown("data.name", &set.name);
    let mut notes = match counts[..] {
        [] => Vec::new(),
        [few, .., many] if few != many => vec![format!("{data}: mean of {few} to {} a curve, the band from smallest to largest.", words(many))],
        [n, ..] => vec![format!("{data}: {} a curve{}.", words(n), if n > 1 { ", their mean, the band from smallest to largest" } else { "" })],
    };
    for run in set.chosen.runs.values().flatten().filter(|run| !run.finished()) {
        let done = run.view.epochs.last().map_or(0.0, |p| p.epoch);
        notes.push(format!("{}: {} after epoch {done}.", run.id, standing(run)));
    }
    notes
}

//! Membership inference: a group of bars for each attack, a bar for each model, a panel for each data set (paper Figure 10;
//! spec.md 5.1). Made from the results that run directories keep.

use super::models::{self, BACKDOORED, Chosen};
use crate::figure::names::{order, shown};
use crate::figure::preset::Membership;
use crate::figure::reported::{self, About, Collection, Subject};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Along, Axis, Dash, Kind, Look, Panel, Point, Reference, Scene, Series, Source};
use crate::figure::ticks::{Tick, number};
use crate::sequela::membership::{self, BASELINE, Report, Settings};
use crate::spec::Stage;
use crate::statistics::Summary;
use std::collections::BTreeMap;

/// Share of a group's width that its bars take.
const GROUP: f64 = 0.84;

/// A run with what it keeps.
struct Kept<'a> {
    run: &'a RunEntry,
    model: String,
    report: Report,
}

/// One data set.
struct Set<'a> {
    name: String,
    /// By attack.
    chosen: BTreeMap<String, Chosen<'a>>,
}

/// The panels and notes; `None` where no run keeps a result.
pub fn scene(preset: &Membership, scan: &Scan, reported: &[Collection]) -> Option<Scene> {
    let (kept, mut footnotes) = kept(preset, scan);
    let settings = settings(&kept)?;
    let (kept, others): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(|k| k.report.settings == settings);
    let sets = sets(&kept);
    let there = |model: &str| sets.iter().flat_map(|set| set.chosen.values()).any(|c| c.runs.keys().any(|(name, _)| name == model));
    let shown_models = models::present(&preset.models, there);
    let attacks: Vec<&str> = preset.attacks.iter().map(String::as_str).filter(|a| sets.iter().any(|set| set.chosen.contains_key(*a))).collect();
    let reports: BTreeMap<&str, &Report> = kept.iter().map(|k| (k.run.id.as_str(), &k.report)).collect();
    let groups = Groups { attacks: &attacks, models: &shown_models, reports: &reports, reported };
    let panels: Vec<Panel> = groups.panels(&sets, &preset.y);
    let mut notes = vec![how(&settings)];
    notes.extend(sets.iter().flat_map(|set| groups.sizes(set)));
    notes.extend(models::left_out(&sets.iter().flat_map(|set| set.chosen.values()).flat_map(|c| c.left_out.clone()).collect::<Vec<_>>()));
    if !others.is_empty() {
        notes.push(format!("Not drawn: {}, for instance {}.", of_others(others.len()), others[0].report.settings.words()));
    }
    let subjects: Vec<Subject> = sets.iter().flat_map(|set| attacks.iter().map(|attack| models::subject(&set.name, attack))).collect();
    notes.extend(reported::notes(reported, &subjects, &panels, About::Membership));
    notes.append(&mut footnotes);
    Some(Scene { columns: sets.len().min(3), panels, footnotes: notes, ..Scene::default() })
}

/// Every result of a finished run that the figure can show, and notes on those that cannot be read.
fn kept<'a>(preset: &Membership, scan: &'a Scan) -> (Vec<Kept<'a>>, Vec<String>) {
    let (mut kept, mut notes) = (Vec::new(), Vec::new());
    for run in scan.runs.iter().filter(|run| run.finished() && preset.attacks.iter().any(|a| a == run.spec.attack.name())) {
        let Some(model) = model(run).filter(|model| preset.models.iter().any(|m| m == model)) else { continue };
        let (reports, damaged) = membership::read_all(&run.dir);
        kept.extend(reports.into_iter().map(|report| Kept { run, model: model.to_owned(), report }));
        notes.extend(damaged.into_iter().map(|(path, message)| format!("Not readable, and left out: {}: {message}.", path.display())));
    }
    (kept, notes)
}

/// The model that a run ended in.
fn model(run: &RunEntry) -> Option<&str> {
    match run.view.stage {
        Some(Stage::Attack) => Some(BACKDOORED),
        Some(Stage::Defense) if run.spec.downstream.is_none() => Some(run.spec.defense.name()),
        _ => None,
    }
}

/// The settings of most results; results of different settings are never shown side by side.
fn settings(kept: &[Kept]) -> Option<Settings> {
    let count = |settings: &Settings| kept.iter().filter(|k| k.report.settings == *settings).count();
    let usual = |settings: &Settings| *settings == Settings::of(settings.variant);
    let of = |k: &&Kept| (count(&k.report.settings), usual(&k.report.settings), k.report.settings.variant == membership::Variant::Paper);
    kept.iter().max_by_key(of).map(|k| k.report.settings.clone())
}

/// The data sets in the paper's order.
fn sets<'a>(kept: &[Kept<'a>]) -> Vec<Set<'a>> {
    let mut names: Vec<String> = kept.iter().map(|k| k.run.spec.data.name().to_owned()).collect();
    names.sort_by_key(|name| (order("data.name", name), name.clone()));
    names.dedup();
    let of = |name: String| {
        let mut attacks: BTreeMap<String, Vec<(&RunEntry, String)>> = BTreeMap::new();
        for k in kept.iter().filter(|k| k.run.spec.data.name() == name) {
            attacks.entry(k.run.spec.attack.name().to_owned()).or_default().push((k.run, k.model.clone()));
        }
        Set { name, chosen: attacks.into_iter().map(|(attack, runs)| (attack, models::choose(runs, None))).collect() }
    };
    names.into_iter().map(of).collect()
}

/// What all panels share.
struct Groups<'p> {
    attacks: &'p [&'p str],
    models: &'p [&'p str],
    reports: &'p BTreeMap<&'p str, &'p Report>,
    reported: &'p [Collection],
}

impl Groups<'_> {
    fn panels(&self, sets: &[Set], y: &str) -> Vec<Panel> {
        let all = |set| (0..self.models.len()).flat_map(move |at| std::iter::once(self.bars(set, at)).chain(self.reported(set, at)));
        let bars = |set| all(set).filter(|s| !s.points.is_empty()).collect();
        let series: Vec<Vec<Series>> = sets.iter().map(bars).collect();
        let ends = series.iter().flatten().flat_map(|s| &s.points).map(|p| p.upright.unwrap_or((p.y, p.y)));
        // One range for all panels: data sets are to be compared.
        let range = ends.fold((BASELINE, BASELINE), |(low, high), (a, b)| (low.min(a), high.max(b)));
        sets.iter().zip(series).map(|(set, series)| self.panel(set, series, y, range)).collect()
    }

    fn panel(&self, set: &Set, series: Vec<Series>, y: &str, (low, high): (f64, f64)) -> Panel {
        let ticks = self.attacks.iter().enumerate().map(|(at, attack)| Tick { value: at as f64, label: shown("attack.name", attack) }).collect();
        Panel {
            title: shown("data.name", &set.name),
            x: Axis { title: "attack".to_owned(), min: -0.55, max: self.attacks.len() as f64 - 0.45, ticks, ..Axis::default() },
            // From a little below guessing: a bar's length is then what an attacker gains.
            y: Axis::linear(y, (low - 0.02).min(0.45), (high + 0.03).clamp(0.6, 1.0), 5, 0.0),
            series,
            references: vec![Reference::new(Kind::Threshold, Along::Y, BASELINE, "guessing")],
            stretch: 1.0,
            ..Panel::default()
        }
    }

    /// Where the bars of the model at place `at` stand beside the middle of their groups, and how wide they are.
    fn place(&self, at: usize) -> (f64, f64) {
        let count = self.models.len() as f64;
        let wide = GROUP / count;
        // Round to what a reader of the numbers wants to see.
        (((at as f64 - (count - 1.0) / 2.0) * wide * 1e4).round() / 1e4, wide)
    }

    /// What others reported of the model at place `at`, over its bars.
    fn reported(&self, set: &Set, at: usize) -> Vec<Series> {
        let (name, (shift, _)) = (self.models[at], self.place(at));
        let place = |(group, attack): (usize, &&str)| (models::subject(&set.name, attack), group as f64 + shift);
        let places: Vec<(Subject, f64)> = self.attacks.iter().enumerate().map(place).collect();
        reported::inferred(self.reported, &places, models::reported(name), (&models::label(name), models::look(name, at)))
    }

    /// The bars of the model at place `at`, one for each attack.
    fn bars(&self, set: &Set, at: usize) -> Series {
        let (name, (shift, wide)) = (self.models[at], self.place(at));
        let points = self.attacks.iter().enumerate().filter_map(|(group, attack)| self.bar(set, attack, name, group as f64 + shift));
        let full = if name == BACKDOORED { Dash::Dots } else { Dash::Solid };
        let look = Look { marker: None, dash: Some(full), bar: Some(wide), width: 0.6, ..models::look(name, at) };
        Series { label: models::label(name), look, points: points.collect() }
    }

    /// The mean over all repetitions on all runs, with their deviation.
    fn bar(&self, set: &Set, attack: &str, model: &str, x: f64) -> Option<Point> {
        let runs = set.chosen.get(attack)?.runs.get(&(model.to_owned(), String::new()))?;
        let of = |run: &&RunEntry| {
            let epoch = run.view.epochs.last().map_or(0.0, |p| p.epoch);
            let source = |value| Source { run: run.id.clone(), seed: run.spec.seed, epoch, value, ..Source::default() };
            let outcomes = self.reports.get(run.id.as_str()).map_or(&[][..], |report| &report.outcomes);
            outcomes.iter().map(|o| source(o.accuracy)).collect::<Vec<_>>()
        };
        let sources: Vec<Source> = runs.iter().flat_map(of).collect();
        let Summary { mean: y, deviation, .. } = Summary::of(&sources.iter().map(|s| s.value).collect::<Vec<_>>())?;
        Some(Point { x, y, upright: deviation.map(|d| (y - d, y + d)), sources, ..Point::default() })
    }

    /// How many images stand behind the bars of a data set.
    fn sizes(&self, set: &Set) -> Vec<String> {
        let drawn = set.chosen.values().flat_map(|c| c.runs.values().flatten()).filter_map(|run| self.reports.get(run.id.as_str()));
        let mut halves: Vec<(usize, f64)> = drawn.map(|report| (report.half, report.standard_error())).collect();
        halves.sort_by_key(|(half, _)| *half);
        halves.dedup_by_key(|(half, _)| *half);
        let words = |(half, error): (usize, f64)| {
            let name = shown("data.name", &set.name);
            format!(
                "{name}: {half} members and {half} others to learn from, as many to be tested on; chance alone strays from 0.5 by {} a repetition.",
                number((error * 1e3).round() / 1e3)
            )
        };
        halves.into_iter().map(words).collect()
    }
}

fn how(settings: &Settings) -> String {
    format!(
        "Attack model: {}; members are {}; mean and standard deviation over {} repetitions of each run, with images, weights and order of their own.",
        settings.words(),
        settings.members.words(),
        settings.seeds
    )
}

fn of_others(count: usize) -> String {
    if count == 1 { "1 result of other settings".to_owned() } else { format!("{count} results of other settings") }
}

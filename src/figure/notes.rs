//! The small print under a figure of runs: seeds, settings, device, and what is not drawn.

use super::names::shown;
use super::runs::{RunEntry, Scan};
use super::select::{Cell, Half, LeftOut, Wanted, standing};
use super::ticks::{grouped, number};
use crate::run::view::Mark;
use crate::schedule::Reading;
use crate::spec::{Annealing, Method, RunSpec, SuperFineTuning, field};
use std::collections::BTreeSet;

/// A cell's title in the paper's manner: `BadNets, CIFAR-10`.
pub fn title(row: &str, column: &str, wanted: &Wanted) -> String {
    let (column, row) = (shown(wanted.columns, column), shown(wanted.rows, row));
    if (wanted.rows, wanted.columns) == ("data.name", "downstream.name") { format!("{row} to {column}") } else { format!("{column}, {row}") }
}

/// What a band over seeds is.
pub const RANGE: &str = "the band from smallest to largest";

/// What a mark stands for that shows the end of runs, and what its bars are where it has some.
pub fn last_epochs(cells: &[Cell]) -> &'static str {
    let several = cells.iter().flat_map(|cell| &cell.halves).any(|half| half.runs.len() > 1);
    if several {
        "Of each run its last epoch; bars reach one standard deviation over seeds to either side."
    } else {
        "Of each run its last epoch; one seed has no bars."
    }
}

/// Every note of a figure whose panels are `cells`, in the order of the panels; `spread`: how seeds differ in it, where
/// that has not been said.
pub fn footnotes(cells: &[Cell], scan: &Scan, wanted: &Wanted, spread: &str) -> Vec<String> {
    gathered(cells, scan, wanted, |cell| {
        let first = cell.halves.iter().flat_map(|h| &h.runs).next();
        let mut notes: Vec<String> = first.map(|run| attack(run)).into_iter().collect();
        match wanted.along {
            None => notes.extend(cell.halves.iter().filter_map(|half| half_note(half, spread))),
            Some(path) => notes.extend(spread_note(cell, path, spread)),
        }
        notes.extend(missing(cell));
        notes.extend(cell.halves.iter().filter_map(steering));
        notes.push(devices(cell));
        notes.extend(left_out(cell));
        notes
    })
}

/// The runs of `cells` that are not drawn, alone.
pub fn omissions(cells: &[Cell], scan: &Scan, wanted: &Wanted) -> Vec<String> {
    gathered(cells, scan, wanted, left_out)
}

/// What is to be said of each cell: once, with the panels that it is true of unless that is all of them.
fn gathered(cells: &[Cell], scan: &Scan, wanted: &Wanted, of: impl Fn(&Cell) -> Vec<String>) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for cell in cells {
        let title = title(&cell.row, &cell.column, wanted);
        for text in of(cell) {
            match said.iter_mut().find(|(t, _)| *t == text) {
                Some((_, titles)) => titles.push(title.clone()),
                None => said.push((text, vec![title.clone()])),
            }
        }
    }
    let everywhere = cells.len();
    let mut notes: Vec<String> =
        said.into_iter().map(|(text, titles)| if titles.len() == everywhere { text } else { format!("{}: {text}", titles.join("; ")) }).collect();
    if !scan.damaged.is_empty() {
        let names: Vec<String> = scan.damaged.iter().map(ToString::to_string).collect();
        notes.push(format!("Not readable, and left out: {}.", names.join("; ")));
    }
    notes
}

/// How a learning rate falls, after the words that say where it begins.
fn falling(schedule: Annealing) -> &'static str {
    match schedule {
        Annealing::Cosine => ", cosine by epoch",
        Annealing::CosineSmooth => ", cosine by step",
        Annealing::Steps => ", a tenth after every 100 epochs",
        Annealing::Constant => "",
    }
}

/// How the backdoored model came about.
fn attack(run: &RunEntry) -> String {
    let a = &run.spec.attack;
    let falling = falling(a.schedule);
    // In a second task the panel names that one; where the backdoor was planted is said here.
    let first = run.spec.downstream.as_ref().map_or_else(String::new, |_| format!(" on {}", shown("data.name", run.spec.data.name())));
    let before = run.spec.pretrain.as_ref().map_or_else(String::new, |p| {
        format!(", pre-trained by SimCLR for {} epochs of batch {} at learning rate {}", p.epochs, p.batch, number(p.lr))
    });
    // BadEncoder poisons no share of a training set.
    let poison = if run.spec.get("attack.poison_ratio").is_some() { format!("poison ratio {}, ", number(a.poison_ratio)) } else { String::new() };
    format!(
        "Attack: {}{first}{before}, {} epochs of batch {} at learning rate {}{falling}; {poison}target class {}.",
        shown("model.name", run.spec.model.name()),
        a.epochs,
        a.batch,
        number(a.lr),
        a.target
    )
}

fn half_note(half: &Half, spread: &str) -> Option<String> {
    let first = half.runs.first()?;
    let name = shown("defense.name", half.defense);
    Some(format!("{name}: {}; {}.", seeds(&half.runs, spread), defense(&first.spec, first.view.facts.clean_images)))
}

/// The defenses of which there is no run.
fn missing(cell: &Cell) -> Option<String> {
    let names: Vec<String> = cell.halves.iter().filter(|half| half.runs.is_empty()).map(|half| shown("defense.name", half.defense)).collect();
    (!names.is_empty()).then(|| format!("Not run: {}.", names.join(", ")))
}

/// The values over which a defense's runs are spread, and its settings otherwise.
fn spread_note(cell: &Cell, path: &str, spread: &str) -> Option<String> {
    let label = field::find(path).map_or(path, |field| field.label);
    let value = |half: &Half| half.at.map_or_else(String::new, number);
    let alike: Vec<String> = cell
        .halves
        .chunk_by(|a, b| seeds(&a.runs, spread) == seeds(&b.runs, spread))
        .map(|part| format!("{}: {}", part.iter().map(value).collect::<Vec<_>>().join(", "), seeds(&part[0].runs, spread)))
        .collect();
    let half = cell.halves.first()?;
    let first = half.runs.first()?;
    let (name, settings) = (shown("defense.name", half.defense), defense(&first.spec, first.view.facts.clean_images));
    Some(format!("{name} with {label} {}. At {}: {settings}.", alike.join("; "), value(half)))
}

/// How many runs there are, with their seeds and where they stand.
fn seeds(runs: &[&RunEntry], spread: &str) -> String {
    let list: Vec<String> = runs.iter().map(|r| r.spec.seed.to_string()).collect();
    let mut text = match runs {
        [_] => format!("n = 1 (seed {})", list.join("")),
        _ => format!("mean of n = {} seeds ({}){}{spread}", runs.len(), list.join(", "), if spread.is_empty() { "" } else { ", " }),
    };
    for run in runs.iter().filter(|r| !r.finished()) {
        let done = run.view.epochs.last().map_or(0.0, |p| p.epoch);
        text.push_str(&format!(", seed {} {} after epoch {done}", run.spec.seed, standing(run)));
    }
    text
}

/// A defense's settings in words.
pub fn defense(spec: &RunSpec, clean_images: usize) -> String {
    let d = &spec.defense;
    let rate = match &d.method {
        Method::FineTuning(f) => format!("learning rate {}", number(f.lr)),
        Method::ClassifierOnly(a) => format!("encoder frozen, Adam at learning rate {}{}", number(a.lr), falling(a.schedule)),
        Method::Whole(a) => format!("encoder and classifier, Adam at learning rate {}{}", number(a.lr), falling(a.schedule)),
        Method::SuperFineTuning(s) => format!(
            "LR BASE {}, LR MAX1 {} for {} epochs, then LR MAX2 {}, {}",
            number(s.lr_base),
            number(s.lr_max1),
            s.phase1_epochs,
            number(s.lr_max2),
            cycle(s)
        ),
        Method::Abl(s) => format!(
            "{}% isolated after {} epochs at {}, the rest at {}, {} epochs of unlearning at {}",
            number(s.isolation_ratio * 100.0),
            s.isolation_epochs,
            number(s.isolation_lr),
            number(s.lr),
            s.unlearn_epochs,
            number(s.unlearn_lr)
        ),
        Method::Nad(s) => format!("teacher of {} epochs, student at learning rate {}", s.teacher_epochs, number(s.lr)),
        Method::Ac(_) | Method::FinePruning(_) | Method::NeuralCleanse(_) | Method::Spectral(_) => {
            format!("learning rate {}, cosine", number(d.lr().unwrap_or_default()))
        }
    };
    let share = if d.clean_share < 1.0 { format!(" ({}% of the training set)", number(d.clean_share * 100.0)) } else { String::new() };
    let images =
        if d.filters() { "what it keeps of the poisoned set".to_owned() } else { format!("{} clean images{share}", grouped(clean_images as u64)) };
    format!("{rate}; {} epochs of batch {} on {images}", d.epochs, d.batch)
}

/// Length and shape of a cycle.
pub fn cycle(s: &SuperFineTuning) -> String {
    match s.reading {
        Reading::HalfCycle => format!("{0} iterations up and {0} down", s.cycle),
        Reading::FullCycle => format!("{} iterations up and down together", s.cycle),
        Reading::Sawtooth => format!("{} iterations up, then a jump down", s.cycle),
    }
}

fn devices(cell: &Cell) -> String {
    let runs = cell.halves.iter().flat_map(|h| &h.runs);
    let mut names: Vec<&str> = runs.map(|r| r.view.facts.device.as_str()).filter(|d| !d.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "Device: not recorded.".to_owned() } else { format!("Device: {}.", names.join("; ")) }
}

/// What was changed by hand while the one drawn run went on.
fn steering(half: &Half) -> Option<String> {
    let run = half.runs.iter().find(|r| r.steered())?;
    let changes: Vec<String> = run.view.marks.iter().enumerate().map(|(i, mark)| format!("{}: {}", letter(i), change(mark))).collect();
    Some(format!("{} was steered by hand, and is not averaged with other runs: {}.", shown("defense.name", half.defense), changes.join("; ")))
}

/// A change under way in words.
pub fn change(mark: &Mark) -> String {
    let name = field::find(&mark.path).map_or(mark.path.as_str(), |f| f.label);
    format!("{name} {} from epoch {}", number(mark.value), number((mark.epoch * 100.0).round() / 100.0))
}

/// a, b, c, ... z, then by number.
pub fn letter(index: usize) -> String {
    u8::try_from(index).ok().filter(|i| *i < 26).map_or_else(|| format!("{}", index + 1), |i| char::from(b'a' + i).to_string())
}

/// Reasons from which those of one defense are told together.
const MANY: usize = 3;

/// One note for each reason; where runs of a defense have many other settings, one that names which.
fn left_out(cell: &Cell) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&LeftOut>)> = Vec::new();
    let mut say = |why: String, entry| match reasons.iter_mut().find(|(w, _)| *w == why) {
        Some((_, entries)) => entries.push(entry),
        None => reasons.push((why, vec![entry])),
    };
    for entry in &cell.left_out {
        let defense = entry.run.spec.defense.name();
        let alike: Vec<&LeftOut> = cell.left_out.iter().filter(|e| e.run.spec.defense.name() == defense && !e.settings.is_empty()).collect();
        let ways: BTreeSet<&str> = alike.iter().map(|e| e.why.as_str()).collect();
        let why = if entry.settings.is_empty() || ways.len() < MANY { entry.why.clone() } else { other_settings(&alike) };
        say(format!("{}, {why}", shown("defense.name", defense)), entry);
    }
    let list = |entries: Vec<&LeftOut>| match entries.iter().map(|e| e.run.id.as_str()).collect::<Vec<_>>() {
        ids if ids.len() <= 3 => ids.join(", "),
        ids => format!("{} and {} more", ids[..2].join(", "), ids.len() - 2),
    };
    reasons.into_iter().map(|(why, entries)| format!("Not drawn ({why}): {}.", list(entries))).collect()
}

/// `with other defense.lr_max1, defense.clean_share`.
fn other_settings(entries: &[&LeftOut]) -> String {
    let paths: BTreeSet<&str> = entries.iter().flat_map(|entry| &entry.settings).map(String::as_str).collect();
    let named: Vec<&str> = paths.iter().take(3).copied().collect();
    let more = if paths.len() > 3 { format!(" and {} more", paths.len() - 3) } else { String::new() };
    format!("with other {}{more}", named.join(", "))
}

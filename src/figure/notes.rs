//! The small print under a figure of runs: seeds, settings, device, and what is not drawn.

use super::names::shown;
use super::preset::Curves;
use super::runs::{RunEntry, Scan};
use super::select::{Cell, Half, standing};
use super::ticks::{grouped, number};
use crate::run::view::Mark;
use crate::schedule::Reading;
use crate::spec::{Annealing, Method, RunSpec, SuperFineTuning, field};

/// A cell's title in the paper's manner: `BadNets, CIFAR-10`.
pub fn title(row: &str, column: &str, curves: &Curves) -> String {
    let (column, row) = (shown(&curves.columns, column), shown(&curves.rows, row));
    if (curves.rows.as_str(), curves.columns.as_str()) == ("data.name", "downstream.name") {
        format!("{row} to {column}")
    } else {
        format!("{column}, {row}")
    }
}

/// Every note of a figure whose panels are `cells`, in the order of the panels.
pub fn footnotes(cells: &[Cell], scan: &Scan, curves: &Curves) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    let mut say = |text: String, cell: &Cell| {
        let title = title(&cell.row, &cell.column, curves);
        match said.iter_mut().find(|(t, _)| *t == text) {
            Some((_, titles)) => titles.push(title),
            None => said.push((text, vec![title])),
        }
    };
    for cell in cells {
        if let Some(run) = cell.halves.iter().flat_map(|h| &h.runs).next() {
            say(attack(run), cell);
        }
        cell.halves.iter().for_each(|half| say(half_note(half), cell));
        cell.halves.iter().filter_map(steering).for_each(|text| say(text, cell));
        say(devices(cell), cell);
        left_out(cell).into_iter().for_each(|text| say(text, cell));
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

/// How the backdoored model came about.
fn attack(run: &RunEntry) -> String {
    let a = &run.spec.attack;
    let falling = match a.schedule {
        Annealing::Cosine => ", cosine by epoch",
        Annealing::CosineSmooth => ", cosine by step",
        Annealing::Steps => ", a tenth after every 100 epochs",
        Annealing::Constant => "",
    };
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

fn half_note(half: &Half) -> String {
    let name = shown("defense.name", half.defense);
    let Some(first) = half.runs.first() else {
        return format!("{name}: not run.");
    };
    format!("{name}: {}; {}.", seeds(&half.runs), defense(&first.spec, first.view.facts.clean_images))
}

/// How many runs there are, with their seeds and where they stand.
fn seeds(runs: &[&RunEntry]) -> String {
    let list: Vec<String> = runs.iter().map(|r| r.spec.seed.to_string()).collect();
    let mut text = match runs {
        [_] => format!("n = 1 (seed {})", list.join("")),
        _ => format!("mean of n = {} seeds ({}), the band from smallest to largest", runs.len(), list.join(", ")),
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
        Method::ClassifierOnly(a) => format!("encoder frozen, Adam at learning rate {}", number(a.lr)),
        Method::Whole(a) => format!("encoder and classifier, Adam at learning rate {}", number(a.lr)),
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

/// One note for each reason.
fn left_out(cell: &Cell) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (run, why) in &cell.left_out {
        let why = format!("{}, {why}", shown("defense.name", run.spec.defense.name()));
        match reasons.iter_mut().find(|(w, _)| *w == why) {
            Some((_, ids)) => ids.push(&run.id),
            None => reasons.push((why, vec![&run.id])),
        }
    }
    let list = |ids: Vec<&str>| match ids.len() {
        0..=3 => ids.join(", "),
        n => format!("{} and {} more", ids[..2].join(", "), n - 2),
    };
    reasons.into_iter().map(|(why, ids)| format!("Not drawn ({why}): {}.", list(ids))).collect()
}

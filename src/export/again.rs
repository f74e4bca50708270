//! Whether a backdoor comes back faster after a defense than in a clean model, over every attack and seed that was put in
//! again (spec.md 5.2).

use crate::figure::names::{order, shown};
use crate::figure::runs::{RunEntry, Scan};
use crate::sequela::reinjection::{Faster, pace};
use crate::spec::{Defense, Start};
use crate::statistics::Summary;
use std::collections::BTreeMap;

/// One kind of model at one poison ratio, against clean models of the same attacks and seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// `backdoored`, or the name of the defense.
    pub model: String,
    /// Share of the training images that is poisoned.
    pub ratio: f64,
    /// The ASR that it begins with: what the defense left. Where that is much, nothing has to come back.
    pub before: Summary,
    /// Its paces, see [`pace`]; one for each attack and seed.
    pub own: Summary,
    /// Those of the clean models.
    pub clean: Summary,
    /// The differences, pair by pair.
    pub difference: Summary,
}

impl Line {
    /// Whether the backdoor comes back faster than it comes into a clean model.
    pub fn verdict(&self) -> Faster {
        Faster::of_difference(&self.difference)
    }

    /// The model in a legend's words.
    pub fn label(&self) -> String {
        shown("defense.name", &self.model)
    }
}

/// What tells a pair from others: the run of the attack that was repeated, the share of poison, as text, and the length.
type Pair = (String, String, u64);

/// Every kind of model that has a clean one beside it, from the highest ratio on, defenses in the paper's order. A shorter
/// and a longer re-injection are no pair, and one that did not end is none.
pub fn lines(scan: &Scan) -> Vec<Line> {
    let pair = |run: &RunEntry, source: &str, ratio: f64| -> Pair { (source.to_owned(), ratio.to_string(), run.view.facts.epochs) };
    let (mut clean, mut others) = (BTreeMap::new(), Vec::new());
    for run in scan.runs.iter().filter(|run| run.finished()) {
        let view = &run.view;
        let (Some(what), Some(pace), Some(start)) = (&view.facts.reinjection, pace(view), view.epochs.first()) else { continue };
        match what.start {
            Start::Clean => drop(clean.insert(pair(run, &what.source, what.ratio), pace)),
            Start::Scratch => {}
            _ => others.push((what.model().to_owned(), what.ratio, pair(run, &what.source, what.ratio), [start.measures.asr, pace])),
        }
    }
    let mut found = BTreeMap::<(String, String), (f64, Vec<Paces>)>::new();
    for (model, ratio, pair, [before, own]) in others {
        if let Some(clean) = clean.get(&pair) {
            found.entry((model, pair.1)).or_insert((ratio, Vec::new())).1.push(Paces { before, own, clean: *clean });
        }
    }
    let mut lines: Vec<Line> = found.into_iter().filter_map(|((model, _), (ratio, pairs))| line(model, ratio, &pairs)).collect();
    let place = |line: &Line| (!Defense::NAMES.contains(&line.model.as_str()), order("defense.name", &line.model));
    lines.sort_by(|a, b| b.ratio.total_cmp(&a.ratio).then_with(|| place(a).cmp(&place(b))));
    lines
}

/// One pair.
struct Paces {
    /// The model's ASR before the first epoch.
    before: f64,
    /// Its pace.
    own: f64,
    /// The pace of the clean model beside it.
    clean: f64,
}

fn line(model: String, ratio: f64, pairs: &[Paces]) -> Option<Line> {
    let of = |value: fn(&Paces) -> f64| Summary::of(&pairs.iter().map(value).collect::<Vec<_>>());
    let (before, own, clean) = (of(|p| p.before)?, of(|p| p.own)?, of(|p| p.clean)?);
    Some(Line { model, ratio, before, own, clean, difference: of(|p| p.own - p.clean)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Facts, Measures};
    use crate::run::view::{Point, RunView, Status};
    use crate::spec::{Reinjection, RunSpec};
    use std::path::PathBuf;

    /// A re-injection of `source` whose ASR is `asr` after each of three epochs.
    fn run(source: &str, start: Start, defense: &str, ratio: f64, asr: f64) -> RunEntry {
        let measures = |asr| Measures { asr, ..Measures::default() };
        let point = |epoch: f64| Point { epoch, step: 0, lr: 0.0, loss: 0.0, measures: measures(if epoch == 0.0 { asr / 4.0 } else { asr }) };
        let what = Reinjection { start, defense: defense.to_owned(), source: source.to_owned(), ratio };
        let facts = Facts { epochs: 3, reinjection: Some(what), ..Facts::default() };
        let epochs = (0..=3).map(|e| point(f64::from(e))).collect();
        let view = RunView { facts, epochs, status: Status::Finished, ..RunView::default() };
        RunEntry { id: String::new(), dir: PathBuf::new(), spec: RunSpec::default(), parent: None, view, done: true }
    }

    #[test]
    fn a_defended_model_is_held_against_the_clean_one_of_its_own_attack() {
        let (clean, defended, scratch) = (Start::Clean, Start::Defended, Start::Scratch);
        let mut runs = vec![run("none", defended, "nad", 0.1, 1.0), run("a", scratch, "", 0.1, 0.9)];
        for (source, low, high) in [("a", 0.1, 0.5), ("b", 0.3, 0.8), ("c", 0.2, 0.6)] {
            runs.push(run(source, clean, "", 0.1, low));
            runs.push(run(source, defended, "super-fine-tuning", 0.1, high));
            runs.push(run(source, defended, "abl", 0.1, low));
        }
        runs.push(run("a", clean, "", 0.01, 0.0));
        runs.push(run("a", Start::Backdoored, "", 0.01, 1.0));
        let lines = lines(&Scan { dir: PathBuf::new(), runs, damaged: Vec::new() });
        let names: Vec<(&str, f64, usize)> = lines.iter().map(|l| (l.model.as_str(), l.ratio, l.difference.n)).collect();
        assert_eq!(names, [("super-fine-tuning", 0.1, 3), ("abl", 0.1, 3), ("backdoored", 0.01, 1)]);
        // Differences .4, .5, .4: mean .4333, sd .0577, t(2) = 4.3027: +- .1434.
        let (low, high) = lines[0].difference.interval().unwrap();
        assert!((low - 0.2899).abs() < 1e-3 && (high - 0.5767).abs() < 1e-3, "{low} {high}");
        assert!((lines[0].own.mean - 0.6333).abs() < 1e-3 && (lines[0].clean.mean - 0.2).abs() < 1e-9);
        assert!((lines[0].before.mean - 0.6333 / 4.0).abs() < 1e-3);
        assert_eq!(lines.iter().map(Line::verdict).collect::<Vec<_>>(), [Faster::Yes, Faster::Unclear, Faster::Unknown]);
    }
}

//! How fast a backdoor comes back (spec.md 5.2), read off the logs of its re-injections.

use crate::run::event::Measures;
use crate::run::view::RunView;
use crate::spec::Start;
use crate::statistics::Summary;
use serde::Serialize;

/// Poison ratios of the paper (Figure 11).
pub const RATIOS: [f64; 4] = [0.1, 0.01, 0.001, 0.0001];
/// Epochs of the paper's figures.
pub const EPOCHS: u64 = 25;
/// Attack success rates that count as a backdoor that is back.
pub const LEVELS: [f64; 2] = [0.8, 0.9];

/// One re-injection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Run directory.
    pub id: String,
    /// The run that it started from; none for initial weights.
    pub parent: Option<String>,
    /// The model that it started from: `clean`, `scratch`, `backdoored`, or the name of the defense.
    pub model: String,
    /// Which kind of model that is.
    pub start: Start,
    /// Share of the training images that is poisoned.
    pub ratio: f64,
    /// Poisoned images of an epoch; where the attack poisons batch by batch, on average.
    pub poisoned_images: usize,
    /// Before the first step.
    pub before: Measures,
    /// After the last epoch that was done.
    pub after: Measures,
    /// ASR after each epoch, from epoch 0.
    pub asr: Vec<f64>,
    /// Epochs to each of [`LEVELS`]; none where it was not reached.
    pub epochs_to: [Option<u64>; 2],
    /// Whether all epochs were done.
    pub finished: bool,
}

/// Epochs until ASR first was `level` or more; 0 where it was before the first step.
pub fn epochs_to(view: &RunView, level: f64) -> Option<u64> {
    view.epochs.iter().find(|p| p.measures.asr >= level).map(|p| p.epoch as u64)
}

/// The re-injection that a log tells of; none where it tells of something else.
pub fn row(view: &RunView) -> Option<Row> {
    let what = view.facts.reinjection.as_ref()?;
    Some(Row {
        id: view.facts.id.clone(),
        parent: view.facts.parent.clone(),
        model: what.model().to_owned(),
        start: what.start,
        ratio: what.ratio,
        poisoned_images: view.facts.poisoned_images,
        before: view.before().unwrap_or_default(),
        after: view.latest().unwrap_or_default(),
        asr: view.epochs.iter().map(|p| p.measures.asr).collect(),
        epochs_to: LEVELS.map(|level| epochs_to(view, level)),
        finished: view.result.is_some(),
    })
}

/// How fast a backdoor comes back, in one number that is there even where no level is reached: the mean ASR over the epochs
/// from the first; none before one is done.
pub fn pace(view: &RunView) -> Option<f64> {
    let asr: Vec<f64> = view.epochs.iter().filter(|p| p.epoch > 0.0).map(|p| p.measures.asr).collect();
    Summary::of(&asr).map(|summary| summary.mean)
}

/// Whether a model takes the backdoor again faster than a clean one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faster {
    /// The 95% intervals of the paces lie apart.
    Yes,
    /// They lie apart the other way round.
    Slower,
    /// They overlap.
    Unclear,
    /// One of the two has one seed alone: no interval is known.
    Unknown,
}

impl Faster {
    /// By the differences between a model's paces and a clean model's, pair by pair.
    pub fn of_difference(difference: &Summary) -> Self {
        match difference.interval() {
            Some((low, _)) if low > 0.0 => Self::Yes,
            Some((_, high)) if high < 0.0 => Self::Slower,
            Some(_) => Self::Unclear,
            None => Self::Unknown,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "faster",
            Self::Slower => "slower",
            Self::Unclear => "no difference shown",
            Self::Unknown => "one alone tells nothing",
        }
    }
}

/// Compares the paces of a model's seeds with those of a clean model's.
pub fn faster(model: &Summary, clean: &Summary) -> Faster {
    match (model.interval(), clean.interval()) {
        (Some(model), Some(clean)) if model.0 > clean.1 => Faster::Yes,
        (Some(model), Some(clean)) if model.1 < clean.0 => Faster::Slower,
        (Some(_), Some(_)) => Faster::Unclear,
        _ => Faster::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::Facts;
    use crate::run::view::Point;
    use crate::spec::Reinjection;

    fn view(asr: &[f64]) -> RunView {
        let point = |(epoch, asr): (usize, &f64)| {
            let measures = Measures { ca: 0.9, asr: *asr, ra: 0.0, ..Measures::default() };
            Point { epoch: epoch as f64, step: epoch as u64, lr: 0.1, loss: 0.1, measures }
        };
        let what = Reinjection { start: Start::Defended, defense: "nad".into(), source: "a".into(), ratio: 0.01 };
        let facts = Facts { id: "r".into(), parent: Some("d".into()), reinjection: Some(what), ..Facts::default() };
        RunView { facts, epochs: asr.iter().enumerate().map(point).collect(), ..RunView::default() }
    }

    #[test]
    fn the_pace_is_the_mean_after_the_start_and_needs_intervals_that_lie_apart() {
        assert_eq!((pace(&view(&[0.9, 0.2, 0.4])), pace(&view(&[0.9])), pace(&RunView::default())), (Some(0.30000000000000004), None, None));
        let of = |values: &[f64]| Summary::of(values).unwrap();
        // Half an interval of three values a deviation of 0.01 apart: 4.303 x 0.01 / sqrt 3 = 0.025.
        let (high, low, near) = (of(&[0.89, 0.9, 0.91]), of(&[0.19, 0.2, 0.21]), of(&[0.85, 0.86, 0.87]));
        assert_eq!([faster(&high, &low), faster(&low, &high), faster(&high, &near)], [Faster::Yes, Faster::Slower, Faster::Unclear]);
        assert_eq!(faster(&high, &of(&[0.1])), Faster::Unknown);
    }

    #[test]
    fn the_first_epoch_at_a_level_counts() {
        assert_eq!(row(&view(&[0.1, 0.85, 0.7, 0.95])).unwrap().epochs_to, [Some(1), Some(3)]);
        assert_eq!(row(&view(&[0.1, 0.8])).unwrap().epochs_to, [Some(1), None]);
        assert_eq!(row(&view(&[0.97, 0.2])).unwrap().epochs_to, [Some(0), Some(0)]);
        let whole = row(&view(&[0.1, 0.2])).unwrap();
        assert_eq!((whole.model.as_str(), whole.before.asr, whole.after.asr, whole.finished), ("nad", 0.1, 0.2, false));
        assert_eq!(row(&RunView::default()), None);
    }
}

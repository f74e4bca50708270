//! Numbers of a row as words.

use super::{Column, Row, Trial};
use crate::figure::ticks::grouped;
use crate::run::evidence::Detection;
use crate::statistics::Summary;

impl Row {
    /// What a column says of the row: mean and deviation, `-` where there is no such number.
    pub fn text(&self, column: Column) -> String {
        let summary = || self.summary(column);
        match column {
            Column::Name => self.label.clone(),
            Column::Seeds => self.standing().unwrap_or_else(|| self.trials.len().to_string()),
            Column::Ca | Column::Asr | Column::Ra => with_spread(summary(), |share| format!("{:.1}", share * 100.0)),
            Column::Der | Column::Rir => with_spread(summary(), |rating| format!("{rating:.3}")),
            Column::Hours => self.hours(),
            Column::Clean | Column::Poisoned => summary().map_or_else(dash, |s| grouped(s.mean.round() as u64)),
            Column::Found => self.found(),
        }
    }

    /// Hours with their kind; of both kinds where the runs have both.
    fn hours(&self) -> String {
        let of = |gpu: bool| {
            let summary = self.summary_of(|trial| (trial.gpu == gpu).then(|| trial.hours()))?;
            let text = |value: f64| format!("{value:.0$}", decimals(summary.mean));
            Some(format!("{} {} h", with_spread(Some(summary), text), if gpu { "GPU" } else { "CPU" }))
        };
        let kinds: Vec<String> = [false, true].into_iter().filter(|_| self.defense().is_some()).filter_map(of).collect();
        if kinds.is_empty() { dash() } else { kinds.join(", ") }
    }

    /// Precision and recall of what was removed, or in how many runs the class was flagged.
    fn found(&self) -> String {
        let mean =
            |share: fn(&Detection) -> Option<f64>| self.summary_of(|t| share(t.detection.as_ref()?)).map_or_else(dash, |s| format!("{:.2}", s.mean));
        match () {
            () if self.trials.iter().any(|t| t.detection.is_some()) => format!("{} / {}", mean(Detection::precision), mean(Detection::recall)),
            () => times_flagged(&self.trials).unwrap_or_else(dash),
        }
    }
}

/// In how many of some runs of Neural Cleanse the attacker's class was flagged.
pub fn times_flagged(trials: &[Trial]) -> Option<String> {
    let flagged: Vec<bool> = trials.iter().filter_map(|t| t.flagged).collect();
    (!flagged.is_empty()).then(|| format!("class in {} of {}", flagged.iter().filter(|yes| **yes).count(), flagged.len()))
}

fn dash() -> String {
    "-".to_owned()
}

fn with_spread(summary: Option<Summary>, text: impl Fn(f64) -> String) -> String {
    match summary {
        None => dash(),
        Some(Summary { mean, .. }) if !mean.is_finite() => dash(),
        Some(Summary { mean, deviation: Some(deviation), .. }) => format!("{} ±{}", text(mean), text(deviation)),
        Some(Summary { mean, .. }) => text(mean),
    }
}

/// Hours with three digits that count.
pub fn hours(hours: f64) -> String {
    format!("{hours:.0$}", decimals(hours))
}

fn decimals(hours: f64) -> usize {
    if hours > 0.0 && hours.is_finite() { (2.0 - hours.log10().floor()).clamp(0.0, 6.0) as usize } else { 0 }
}

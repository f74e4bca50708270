//! Columns of the table: what each says of a row, and which row is the best.

use super::{Comparison, Row, Trial};
use crate::run::view::Status;
use crate::statistics::{Best, Better, Summary, best};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sentences on contests, where there are many.
const REASONS: usize = 4;

/// A column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Name of the row.
    #[default]
    Name,
    /// How many seeds.
    Seeds,
    /// Clean accuracy.
    Ca,
    /// Attack success rate.
    Asr,
    /// Robust accuracy.
    Ra,
    /// Defense effectiveness rating.
    Der,
    /// Robustness improvement rating.
    Rir,
    /// Hours of the defense.
    Hours,
    /// Clean images.
    Clean,
    /// Poisoned images.
    Poisoned,
    /// What was found of the poison.
    Found,
}

/// Heading, which way is good, and a sentence.
struct About(&'static str, Option<Better>, &'static str);

impl Column {
    /// From the left.
    pub const ALL: [Self; 11] =
        [Self::Name, Self::Seeds, Self::Ca, Self::Asr, Self::Ra, Self::Der, Self::Rir, Self::Hours, Self::Clean, Self::Poisoned, Self::Found];

    fn entry(self) -> About {
        let (high, low) = (Some(Better::Higher), Some(Better::Lower));
        match self {
            Self::Name => About("defense", None, "defense: with whatever sets its row apart"),
            Self::Seeds => About("n", None, "n: runs that differ in their seed alone"),
            Self::Ca => About("CA", high, "CA: share of clean test images classified as they should be"),
            Self::Asr => About("ASR", low, "ASR: share of triggered test images taken for the attacker's class"),
            Self::Ra => About("RA", high, "RA: share of triggered test images classified as what they truly are"),
            Self::Der => About("DER", high, "DER: what ASR fell by, less what CA fell by, 0 to 1; 0.5 where nothing changed"),
            Self::Rir => About("RIR", high, "RIR: what RA rose by, less what CA fell by, 0 to 1; 0.5 where nothing changed"),
            Self::Hours => About("hours", low, "hours: training of the defense, its searches and retraining included, evaluation excluded"),
            Self::Clean => About("clean", None, "clean: clean images that the defense is given"),
            Self::Poisoned => About("poisoned", None, "poisoned: poisoned images that the defense is given"),
            Self::Found => {
                About("found", None, "found: precision / recall of what was removed; of Neural Cleanse, in how many runs it flagged the class")
            }
        }
    }

    /// Its heading.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// Which way it is good, where it is.
    pub fn better(self) -> Option<Better> {
        self.entry().1
    }

    /// A sentence on it.
    pub fn about(self) -> &'static str {
        self.entry().2
    }

    /// Its number for one run, where there is one: shares of 1, hours, images; recall of what was found.
    pub fn value(self, trial: &Trial) -> Option<f64> {
        match self {
            Self::Name | Self::Seeds => None,
            Self::Ca => Some(trial.after.ca),
            Self::Asr => Some(trial.after.asr),
            Self::Ra => Some(trial.after.ra),
            Self::Der => trial.rated().map(|before| trial.after.der(before)),
            Self::Rir => trial.rated().map(|before| trial.after.rir(before)),
            Self::Hours => Some(trial.hours()),
            Self::Clean => (trial.clean_images > 0).then_some(trial.clean_images as f64),
            Self::Poisoned => (trial.poisoned_images > 0).then_some(trial.poisoned_images as f64),
            Self::Found => trial.detection.and_then(|d| d.recall()).or_else(|| trial.flagged.map(|yes| f64::from(u8::from(yes)))),
        }
    }
}

/// Number, mean and deviation of a column over some runs; none where a run has no such number. GPU hours and CPU hours are
/// never averaged.
pub fn summary(trials: &[Trial], column: Column) -> Option<Summary> {
    if column == Column::Hours && trials.windows(2).any(|pair| pair[0].gpu != pair[1].gpu) {
        return None;
    }
    let values: Vec<f64> = trials.iter().filter_map(|trial| column.value(trial)).collect();
    Summary::of(&values).filter(|summary| summary.n == trials.len())
}

impl Row {
    /// Number, mean and deviation of a column over the seeds. What an attack costs is no defense's cost.
    pub fn summary(&self, column: Column) -> Option<Summary> {
        if column == Column::Hours && self.defense().is_none() { None } else { summary(&self.trials, column) }
    }

    /// As [`summary`](Self::summary), for whatever of the runs is told apart by `value`.
    pub fn summary_of(&self, value: impl Fn(&Trial) -> Option<f64>) -> Option<Summary> {
        Summary::of(&self.trials.iter().filter_map(value).collect::<Vec<_>>())
    }
}

/// Rows that can be held against each other in one column, and which of them is the best.
#[derive(Clone, Debug, PartialEq)]
pub struct Contest {
    /// Places of the rows.
    pub rows: Vec<usize>,
    /// The outcome; its numbers are places among `rows`.
    pub best: Best,
}

impl Contest {
    /// The place of the row that is the best.
    pub fn winner(&self) -> Option<usize> {
        match self.best {
            Best::Is(place) => self.rows.get(place).copied(),
            _ => None,
        }
    }
}

impl Comparison {
    /// The contests of a column: finished defenses of the same kind of backdoored model, hours of the same kind of device.
    pub fn contests(&self, column: Column) -> Vec<Contest> {
        let Some(better) = column.better() else { return Vec::new() };
        let mut groups = BTreeMap::<(&str, Option<bool>), Vec<(usize, Summary)>>::new();
        for (place, row) in self.rows.iter().enumerate().filter(|(_, row)| row.counts()) {
            let Some(summary) = row.summary(column) else { continue };
            let kind = if column == Column::Hours { row.gpu() } else { None };
            groups.entry((&row.model, kind)).or_default().push((place, summary));
        }
        let contest = |of: Vec<(usize, Summary)>| {
            let (rows, samples): (Vec<usize>, Vec<Summary>) = of.into_iter().unzip();
            Contest { rows, best: best(&samples, better) }
        };
        groups.into_values().map(contest).collect()
    }

    /// Whether the best of a column is marked in the contest of row `place`, and why not, in a sentence.
    pub fn reason(&self, column: Column, place: usize) -> String {
        let name = column.name();
        if column.better().is_none() {
            return format!("{name} has no best");
        }
        match self.rows.get(place) {
            Some(row) if row.status != Status::Finished => return format!("{name}: a run that is not finished is not held against others"),
            Some(row) if !row.counts() => return format!("{name}: defenses are held against each other, not against the backdoored model"),
            Some(_) => {}
            None => return String::new(),
        }
        let Some(contest) = self.contests(column).into_iter().find(|contest| contest.rows.contains(&place)) else {
            return format!("{name}: no such number of this row");
        };
        let label = |at: usize| contest.rows.get(at).and_then(|row| self.rows.get(*row)).map_or("", |row| row.label.as_str());
        match contest.best {
            Best::Is(at) => format!("{name}: {} is best: its 95% interval (Student's t over seeds) lies apart from all others", label(at)),
            Best::Alone => format!("{name}: no best is marked: there is nothing else to compare with"),
            Best::Single(at) => format!("{name}: no best is marked: {} has one seed only, and an interval takes two", label(at)),
            Best::Overlap(a, b) => {
                format!("{name}: no best is marked: the 95% intervals (Student's t over seeds) of {} and {} overlap", label(a), label(b))
            }
        }
    }

    /// The sentences on the contests of a column that have rivals, the first few of them.
    pub fn reasons(&self, column: Column) -> Vec<String> {
        let contests = self.contests(column).into_iter().filter(|contest| contest.rows.len() > 1);
        let first = contests.filter_map(|contest| contest.rows.first().copied()).take(REASONS);
        first.map(|place| self.reason(column, place)).collect()
    }

    /// Places of the rows, sorted by a column; rows without a number come last either way.
    pub fn sorted(&self, column: Column, descending: bool) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        let turned = |order: Ordering| if descending { order.reverse() } else { order };
        places.sort_by(|a, b| {
            let (a, b) = (&self.rows[*a], &self.rows[*b]);
            match column {
                // The usual order, which the rows have already.
                Column::Name => turned(Ordering::Equal),
                Column::Seeds => turned(a.trials.len().cmp(&b.trials.len())),
                _ => match (a.summary(column), b.summary(column)) {
                    // Hours of one kind stand together.
                    (Some(_), Some(_)) if column == Column::Hours && a.gpu() != b.gpu() => a.gpu().cmp(&b.gpu()),
                    (Some(x), Some(y)) => turned(x.mean.total_cmp(&y.mean)),
                    (x, y) => y.is_some().cmp(&x.is_some()),
                },
            }
        });
        if column == Column::Name && descending {
            places.reverse();
        }
        places
    }
}

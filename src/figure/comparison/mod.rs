//! Runs side by side: seeds of the same settings become one row with mean and spread, and rows become curves, a
//! trade-off plane, bars of cost and a table. The Compare screen, its exports and `tuneout compare` all read this.
//!
//! ```text
//! runs::Scan -> Candidate, each with its group -> Comparison { rows } -+-> Column: mean, deviation, best
//!                                                                      +-> scene: curves, cost
//! ```

mod column;
mod label;
mod row;
mod scene;
mod shelf;
mod text;

pub use column::{Column, Contest, summary};
pub use row::{Row, Trial, detection, flagged};
pub use scene::{HOURS, Highlight};
pub use shelf::{Library, Shelf};
pub use text::{hours, times_flagged};

use super::names::order;
use super::palette;
use super::runs::RunEntry;
use super::scene::{Colour, Dash, Look, Marker};
use super::select::settings;
use crate::run::view::Status;
use crate::spec::{Defense, RunSpec, Stage};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The run.
    pub run: Arc<RunEntry>,
    /// What makes runs seeds of one another: the same settings and images.
    pub group: String,
    /// What makes defenses start from the same kind of backdoored model: [`model`].
    pub model: String,
}

impl Candidate {
    /// `run` with what it is grouped by; none for clean models and re-injections, and for runs that never began.
    pub fn of(run: Arc<RunEntry>) -> Option<Self> {
        let group = match run.view.stage? {
            Stage::Pretrain | Stage::Reinjection => return None,
            // The same backdoored model serves every defense and every second task.
            Stage::Attack => settings(&run.spec, |path| !path.starts_with("defense.") && !path.starts_with("downstream.")),
            Stage::Defense => settings(&run.spec, |_| true),
        };
        // Seeds that stand at different epochs, or were steered each in its own way, are not averaged.
        let alone = if run.finished() && !run.steered() { "" } else { &run.id };
        let group = format!("{:?}|{}|{group}|{alone}", run.view.stage, run.view.facts.fingerprint);
        let model = model(&run.spec);
        Some(Self { run, group, model })
    }

    /// Whether it came to its end, or may still: what is compared unless somebody asks for more.
    pub fn usable(&self) -> bool {
        !matches!(self.run.view.status, Status::Failed(_) | Status::Stopped | Status::Empty)
    }

    /// Whether it is a backdoored model rather than a cleaned one.
    pub fn planted(&self) -> bool {
        self.run.view.stage == Some(Stage::Attack)
    }
}

/// Every setting that decides a backdoored model and the task that it is judged by; the seed aside.
pub fn model(spec: &RunSpec) -> String {
    settings(spec, |path| !path.starts_with("defense."))
}

/// Some runs side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// A row for each group: backdoored models first, then by data set, attack and defense in their usual order.
    pub rows: Vec<Row>,
    /// Runs that were asked for and are not counted, each with the reason.
    pub aside: Vec<String>,
    /// Directories that could not be read, with the reason.
    pub damaged: Vec<String>,
}

impl Comparison {
    /// The runs among `library` that `marked` names; what a defense started from is looked up in all of it.
    pub fn of(library: &[Candidate], marked: impl Fn(&str) -> bool) -> Self {
        let parents: BTreeMap<&str, &RunEntry> = library.iter().filter(|c| c.planted()).map(|c| (c.run.id.as_str(), &*c.run)).collect();
        let parent = |run: &RunEntry| run.parent.as_deref().and_then(|id| parents.get(id)).copied();
        let mut groups: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
        for candidate in library.iter().filter(|c| marked(&c.run.id)) {
            groups.entry(&candidate.group).or_default().push(candidate);
        }
        let mut comparison = Self::default();
        for candidates in groups.into_values() {
            let mut trials: Vec<Trial> = Vec::new();
            // A copy of a run is no second seed: the newest counts.
            let mut newest = candidates.clone();
            newest.sort_by_key(|c| (c.run.view.facts.seed, Reverse(c.run.view.clock_ms.1), c.run.id.clone()));
            for candidate in newest {
                let twin = trials.last().filter(|before| before.seed == candidate.run.view.facts.seed);
                match (twin, Trial::of(&candidate.run, parent(&candidate.run))) {
                    (Some(twin), _) => comparison.aside.push(format!("{}: the same seed and settings as {}", candidate.run.id, twin.run)),
                    (None, Some(trial)) => trials.push(trial),
                    (None, None) => comparison.aside.push(format!("{}: no numbers yet", candidate.run.id)),
                }
            }
            if !trials.is_empty() {
                comparison.rows.push(Row::new(candidates[0], trials));
            }
        }
        comparison.rows.sort_by_cached_key(place);
        label::name(&mut comparison.rows);
        paint(&mut comparison.rows);
        comparison
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What the rows have in common, in words: `badnets on signs-12`; `several attacks on signs-12`.
    pub fn subject(&self) -> String {
        let one = |of: fn(&Row) -> String, several: &str| {
            let first = self.rows.first().map(of).unwrap_or_default();
            if self.rows.iter().all(|row| of(row) == first) { first } else { several.to_owned() }
        };
        if self.rows.is_empty() {
            return "nothing to compare".to_owned();
        }
        format!("{} on {}", one(|row| row.spec.attack.name().to_owned(), "several attacks"), one(Row::images, "several data sets"))
    }
}

/// Backdoored models before defended ones, then data set, attack and defense in the order of the paper, then settings.
fn place(row: &Row) -> (String, usize, bool, usize, bool, String) {
    let defense = Defense::NAMES.iter().position(|name| *name == row.spec.defense.name()).unwrap_or(Defense::NAMES.len());
    let attack = order("attack.name", row.spec.attack.name());
    (row.images(), attack, row.stage != Stage::Attack, defense, row.status != Status::Finished, row.group.clone())
}

/// Gives each row the look that its defense has in every figure; a second row of the same defense has its mark hollow,
/// and further ones take what is free.
fn paint(rows: &mut [Row]) {
    let mut taken: Vec<(Colour, Option<Marker>)> = Vec::new();
    for row in rows {
        let own = row.defense().map_or_else(palette::undefended, palette::defense);
        let hollow = Look { marker: own.marker.map(Marker::hollow), ..own };
        let free = [own, hollow].into_iter().chain((0..ENDLESS).map(palette::series)).find(|look| !taken.contains(&(look.colour, look.marker)));
        let look = free.unwrap_or(own);
        taken.push((look.colour, look.marker));
        // A run that came to no end stands out; one that goes on is as good as any.
        let dash = if row.live() || row.status == Status::Finished { Dash::Solid } else { Dash::Dashes };
        row.look = Look { dash: Some(dash), width: 1.2, ..look };
    }
}

/// As many looks as [`palette::series`] has.
const ENDLESS: usize = 16;

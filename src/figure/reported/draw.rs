//! Reported numbers as faint, hollow marks: the shape and colour of what was measured of the same defense.

use super::{CLEAN, Collection, Origin, Reported, Subject, UNDEFENDED};
use crate::figure::names::shown;
use crate::figure::palette;
use crate::figure::preset::{Measure, SeriesPreset};
use crate::figure::scene::{Look, Point, Role, Series};
use std::collections::BTreeMap;

/// A defense's name in figures; that of a model without one.
pub fn shown_name(defense: &str) -> String {
    match defense {
        UNDEFENDED => "no defense".to_owned(),
        CLEAN => "clean model".to_owned(),
        _ => shown("defense.name", defense),
    }
}

/// The look of what was reported of a series that looks like `own`.
fn faint(own: Look) -> Look {
    Look { role: Role::Reported, marker: own.marker.map(|marker| marker.hollow()), dash: None, ..own }
}

/// One series of `points`; a letter tells its origin where there are several.
fn series(name: &str, own: Look, collection: &Collection, several: bool, points: impl Iterator<Item = (f64, f64)>) -> Option<Series> {
    let label = if several { collection.origin.letter() } else { "" };
    let mut points: Vec<Point> = points.map(|(x, y)| Point { label: label.to_owned(), ..Point::computed(x, y) }).collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let name = format!("{name}{}", collection.origin.suffix());
    (!points.is_empty()).then(|| Series { label: name, look: faint(own), points })
}

/// Final CA and ASR of `defenses` in the plane, where both were reported together.
pub fn in_plane(collections: &[Collection], subject: &Subject, defenses: &[&str]) -> Vec<Series> {
    let mut all = Vec::new();
    for collection in collections {
        for defense in std::iter::once(UNDEFENDED).chain(defenses.iter().copied()) {
            let own = if defense == UNDEFENDED { palette::undefended() } else { palette::defense(defense) };
            let of = collection.of(subject).filter(|r| r.defense == defense && r.usual() && r.of_the_end());
            all.extend(series(&shown_name(defense), own, collection, collections.len() > 1, of.filter_map(|r| r.ca.zip(r.asr))));
        }
    }
    all
}

/// A curve's values at epochs, where the epoch was reported.
pub fn over_epochs(collections: &[Collection], subject: &Subject, curve: &SeriesPreset, own: Look) -> Vec<Series> {
    let of = |collection: &Collection| {
        let of = collection.of(subject).filter(|r| r.defense == curve.defense && r.usual());
        let points: Vec<_> = of.filter_map(|r| r.epoch.zip(r.value(curve.measure))).collect();
        series(&curve.label, own, collection, collections.len() > 1, points.into_iter())
    };
    collections.iter().filter_map(of).collect()
}

/// What a defense with some settings `held` reached, over the values of the setting at `path`.
pub fn along_setting(
    collections: &[Collection],
    subject: &Subject,
    (defense, measure): (&str, Measure),
    (path, held): (&str, &BTreeMap<String, f64>),
    (name, own): (&str, Look),
) -> Vec<Series> {
    let of = |collection: &Collection| {
        let fits = |r: &&Reported| {
            let others = collection.defaults.keys().chain(r.settings.keys()).filter(|key| *key != path);
            let as_held = |key: &String| held.get(key).is_none_or(|value| collection.setting(r, key) == Some(*value));
            // A setting that the figure does not hold has to be the usual one.
            let usual = |key: &String| held.contains_key(key) || collection.setting(r, key) == collection.defaults.get(key).copied();
            r.defense == defense && r.reinjection.is_none() && r.of_the_end() && others.into_iter().all(|key| as_held(key) && usual(key))
        };
        let points: Vec<_> = collection.of(subject).filter(fits).filter_map(|r| collection.setting(r, path).zip(r.value(measure))).collect();
        series(name, own, collection, collections.len() > 1, points.into_iter())
    };
    collections.iter().filter_map(of).collect()
}

/// Accuracies of membership inference against `defense` at the places of some panels' subjects.
pub fn inferred(collections: &[Collection], places: &[(Subject, f64)], defense: &str, (name, own): (&str, Look)) -> Vec<Series> {
    let of = |collection: &Collection| {
        let at = |(subject, x): &(Subject, f64)| {
            let of = collection.of(subject).filter(|r| r.defense == defense && r.usual());
            of.filter_map(|r| Some((*x, r.membership?))).collect::<Vec<_>>()
        };
        series(name, own, collection, collections.len() > 1, places.iter().flat_map(at))
    };
    collections.iter().filter_map(of).collect()
}

/// ASR of the same attack once more on the model of `defense`, at the epochs after which it was reported.
pub fn injected_again(collections: &[Collection], subject: &Subject, (defense, ratio): (&str, f64), (name, own): (&str, Look)) -> Vec<Series> {
    let of = |collection: &Collection| {
        let fits = |r: &&Reported| r.defense == defense && r.reinjection.is_some_and(|again| (again.ratio / ratio - 1.0).abs() < 1e-9);
        let points: Vec<_> = collection.of(subject).filter(fits).filter_map(|r| Some((r.reinjection?.epochs.1, r.asr?))).collect();
        series(name, own, collection, collections.len() > 1, points.into_iter())
    };
    collections.iter().filter_map(of).collect()
}

/// Hours on a GPU of each of `defenses` at its place, over all data sets and attacks.
pub fn hours(collections: &[Collection], scenario: crate::spec::Scenario, defenses: &[String]) -> Vec<Series> {
    let mut all = Vec::new();
    for collection in collections {
        for (place, defense) in defenses.iter().enumerate() {
            let of = collection.reported.iter().filter(|r| r.scenario == scenario && r.defense == *defense && r.usual());
            let points = of.filter_map(|r| r.gpu_hours).map(|hours| (place as f64, hours));
            all.extend(series(&shown_name(defense), palette::defense(defense), collection, collections.len() > 1, points));
        }
    }
    all
}

impl Origin {
    /// What follows a series' name.
    pub(super) fn suffix(self) -> String {
        format!(" ({})", self.name())
    }

    /// How its marks look, for the note under the figure.
    pub(super) fn marks(self, several: bool) -> String {
        if several { format!("Faint hollow marks with {}", self.letter()) } else { "Faint hollow marks".to_owned() }
    }
}

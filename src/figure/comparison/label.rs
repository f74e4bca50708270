//! Names of rows: as short as tells them apart.

use super::Row;
use crate::figure::select::flat;
use crate::spec::field;
use std::collections::{BTreeMap, BTreeSet};

/// Settings that a name has room for.
const MOST: usize = 2;

/// Names every row: the defense, with the attack and the data set where the rows have several, and then with what sets
/// it apart from others of that name.
pub(super) fn name(rows: &mut [Row]) {
    let several = |of: fn(&Row) -> String| rows.iter().map(of).collect::<BTreeSet<_>>().len() > 1;
    let (images, attacks) = (several(Row::images), several(|row| row.spec.attack.name().to_owned()));
    for row in rows.iter_mut() {
        let parts = [images.then(|| row.images()), attacks.then(|| row.spec.attack.name().to_owned())];
        let own = row.defense().unwrap_or("no defense").to_owned();
        let mut label = parts.into_iter().flatten().chain([own]).collect::<Vec<_>>().join(" / ");
        if row.steered {
            label += " by hand";
        }
        row.label = label;
    }
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        alike.entry(row.label.clone()).or_default().push(place);
    }
    for places in alike.into_values().filter(|places| places.len() > 1) {
        tell_apart(rows, &places);
    }
}

/// Adds what differs: settings, then the seed of a run that stands alone, then a number.
fn tell_apart(rows: &mut [Row], places: &[usize]) {
    let all: Vec<BTreeMap<String, String>> = places.iter().map(|place| flat(&rows[*place].spec)).collect();
    let paths: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let differs = |path: &&String| all.iter().any(|one| one.get(*path) != all[0].get(*path));
    let differing: Vec<&String> = paths.into_iter().filter(differs).take(MOST).collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (settings, place) in all.iter().zip(places) {
        let words = differing.iter().filter_map(|path| Some(format!("{} {}", short(path), settings.get(*path)?.trim_matches('"'))));
        let mut label = std::iter::once(rows[*place].label.clone()).chain(words).collect::<Vec<_>>().join(", ");
        if !rows[*place].counts() && rows[*place].defense().is_some() {
            label += &format!(", seed {}", rows[*place].seeds());
        }
        let free = (2..).map(|n| format!("{label} ({n})"));
        let free = std::iter::once(label.clone()).chain(free).find(|name| !used.contains(name)).unwrap_or_default();
        used.insert(free.clone());
        rows[*place].label = free;
    }
}

/// A setting's name as the set-up has it, with its section where that is not the defense's.
fn short(path: &str) -> String {
    let label = field::find(path).map_or(path, |field| field.label);
    match path.split_once('.') {
        Some((section, _)) if section != "defense" && !label.starts_with(section) => format!("{section} {label}"),
        _ => label.to_owned(),
    }
}

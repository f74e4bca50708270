//! What is said of reported numbers under a figure: where they come from, and where they contradict each other.

use super::draw::shown_name;
use super::{About, Collection, Reported, Subject};
use crate::figure::names::shown;
use crate::figure::preset::Measure;
use crate::figure::scene::{Panel, Role, Series};
use crate::figure::ticks::number;

/// Shares that differ by no more are the same number, rounded or run again.
const SAME: f64 = 0.02;

/// The notes on what `collections` report `about` the `subjects`, which `panels` may show.
pub fn notes(collections: &[Collection], subjects: &[Subject], panels: &[Panel], about: About) -> Vec<String> {
    let mut notes: Vec<String> = collections.iter().map(|collection| origin(collection, panels, collections.len() > 1)).collect();
    let of = |collection: &'_ Collection| subjects.iter().flat_map(|s| collection.of(s).cloned().collect::<Vec<_>>()).collect::<Vec<Reported>>();
    let entries: Vec<(&Collection, Vec<Reported>)> = collections.iter().map(|c| (c, of(c))).collect();
    if about == About::Defenses {
        notes.extend(disagreements(&entries));
    }
    for (collection, reported) in &entries {
        let mut said: Vec<(&str, Vec<String>)> = Vec::new();
        for entry in reported.iter().filter(|r| about.shows(r)) {
            let note = if entry.approximate && entry.note.is_empty() { "Given roughly." } else { entry.note.as_str() };
            match said.iter_mut().find(|(said, _)| *said == note) {
                Some((_, names)) => names.push(name(entry)),
                None if note.is_empty() => {}
                None => said.push((note, vec![name(entry)])),
            }
        }
        let title = &collection.title;
        notes.extend(said.into_iter().map(|(note, names)| format!("Of {title}, {}: {note}", names.join("; "))));
    }
    notes
}

fn origin(collection: &Collection, panels: &[Panel], several: bool) -> String {
    let own = |series: &&Series| series.look.role == Role::Reported && series.label.ends_with(&collection.origin.suffix());
    if panels.iter().flat_map(|panel| &panel.series).find(own).is_none() {
        return format!("{} reports none of these numbers: {}.", capital(&collection.title), collection.source);
    }
    format!("{}: as {} reports, not measured here: {}.", collection.origin.marks(several), collection.title, collection.source)
}

fn capital(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

/// `BadNets, CIFAR-10, ABL`.
fn name(r: &Reported) -> String {
    let data = shown("data.name", &r.data);
    let data = r.downstream.as_ref().map_or(data.clone(), |second| format!("{data} to {}", shown("data.name", second)));
    format!("{}, {data}, {}", shown("attack.name", &r.attack), shown_name(&r.defense))
}

/// Final numbers of the same thing that differ by more than rounding does, whoever reports them.
fn disagreements(entries: &[(&Collection, Vec<Reported>)]) -> Vec<String> {
    let mut notes = Vec::new();
    for (measure, title) in [(Measure::Asr, "ASR"), (Measure::Ca, "CA")] {
        let mut groups: Vec<(String, Vec<(f64, String)>)> = Vec::new();
        for (collection, r) in entries.iter().flat_map(|(c, all)| all.iter().map(move |r| (*c, r))).filter(|(_, r)| r.usual() && r.of_the_end()) {
            let Some(value) = r.value(measure) else { continue };
            let place = if r.at.is_empty() { collection.title.clone() } else { format!("{}, {}", collection.title, r.at) };
            match groups.iter_mut().find(|(of, _)| *of == name(r)) {
                Some((_, values)) => values.push((value, place)),
                None => groups.push((name(r), vec![(value, place)])),
            }
        }
        for (of, values) in groups {
            let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (v, _)| (low.min(*v), high.max(*v)));
            if high - low > SAME {
                let list: Vec<String> = values.iter().map(|(value, place)| format!("{} ({place})", number(*value))).collect();
                notes.push(format!("Contradictory, and none averaged: {title} of {of} is {}.", list.join(", ")));
            }
        }
    }
    notes
}

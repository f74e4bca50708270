//! Defenses side by side in the plane of CA and ASR, from the logs (paper Figures 5, 12 and 13; spec.md section 9).

use super::plane::{self, Entry, Outcome, Plane, ahead};
use crate::figure::names::{order, shown};
use crate::figure::notes;
use crate::figure::palette;
use crate::figure::preset::PlanePreset;
use crate::figure::reported::{self, About, Collection, UNDEFENDED};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Panel, Scene};
use crate::figure::select::{self, Cell, Wanted};
use std::collections::BTreeSet;

const ROWS: &str = "data.name";
const COLUMNS: &str = "attack.name";

/// The panels and notes, made of runs with the settings `own` where there are such; `None` when no run belongs to the figure.
pub fn scene(preset: &PlanePreset, own: BTreeSet<String>, scan: &Scan, reported: &[Collection]) -> Option<Scene> {
    let asked = Wanted { own, ..wanted(preset, &preset.data) };
    let stands_in = select::cells(scan, &asked).is_empty();
    let wanted = if stands_in { Wanted { own: asked.own, ..wanted(preset, &preset.stand_ins) } } else { asked };
    let mut cells = select::cells(scan, &wanted);
    cells.sort_by_key(|cell| (order(ROWS, &cell.row), order(COLUMNS, &cell.column)));
    let planes: Vec<Plane> = cells.iter().map(|cell| plane(cell, preset, scan, reported)).collect();
    let mut scene = plane::scene(&planes);
    (!cells.is_empty()).then(|| {
        arrange(&mut scene, &cells);
        scene.footnotes.extend(stands_in.then(|| instead(preset, &cells)));
        let best = if planes.iter().any(|plane| ahead(&plane.entries).is_some()) { BEST } else { NO_BEST };
        scene.footnotes.push(format!("{} {best}", notes::last_epochs(&cells)));
        scene.footnotes.extend(notes::footnotes(&cells, scan, &wanted, ""));
        scene.footnotes.extend(reported::notes(reported, &select::subjects(&cells), &scene.panels, About::Defenses));
        scene
    })
}

const BEST: &str = "`best`: better than every other in CA and in ASR, with 95% intervals over seeds that do not overlap.";
const NO_BEST: &str = "None is marked as best: none is better than every other in CA and in ASR with 95% intervals over seeds that do not overlap.";

fn wanted<'a>(preset: &'a PlanePreset, data: &'a [String]) -> Wanted<'a> {
    let names = |list: &'a [String]| list.iter().map(String::as_str).collect();
    Wanted { scenario: preset.scenario, rows: ROWS, columns: COLUMNS, defenses: names(&preset.defenses), data: names(data), ..Wanted::default() }
}

/// Says that other data sets are drawn than the figure is about.
fn instead(preset: &PlanePreset, cells: &[Cell]) -> String {
    let names = |list: &mut dyn Iterator<Item = &String>| {
        let mut names: Vec<String> = list.map(|name| shown(ROWS, name)).collect();
        names.dedup();
        names.join(", ")
    };
    let (own, drawn) = (names(&mut preset.data.iter()), names(&mut cells.iter().map(|cell| &cell.row)));
    format!("Nothing was run on {own}; drawn in its place: {drawn}.")
}

/// One data set's panels follow each other; several data sets make a row each.
fn arrange(scene: &mut Scene, cells: &[Cell]) {
    let several = cells.iter().any(|cell| cell.row != cells[0].row);
    let mut columns: Vec<&str> = cells.iter().map(|cell| cell.column.as_str()).collect();
    columns.sort_by_key(|name| order(COLUMNS, name));
    columns.dedup();
    if !several || columns.len() < 2 {
        return;
    }
    let panels = std::mem::take(&mut scene.panels);
    let axes = panels.first().map(|panel| (panel.x.clone(), panel.y.clone())).unwrap_or_default();
    let mut drawn = panels.into_iter().zip(cells).peekable();
    while let Some((_, first)) = drawn.peek() {
        let row = first.row.clone();
        for column in &columns {
            let next = drawn.next_if(|(_, cell)| cell.row == row && cell.column == *column);
            scene.panels.push(next.map_or_else(|| absent(&row, column, &axes), |(panel, _)| panel));
        }
    }
    scene.columns = columns.len();
}

fn absent(row: &str, column: &str, (x, y): &(crate::figure::scene::Axis, crate::figure::scene::Axis)) -> Panel {
    let title = format!("{}, {}", shown(COLUMNS, column), shown(ROWS, row));
    Panel { title, x: x.clone(), y: y.clone(), absent: Some("not run".to_owned()), stretch: 1.0, ..Panel::default() }
}

fn plane(cell: &Cell, preset: &PlanePreset, scan: &Scan, reported: &[Collection]) -> Plane {
    let defenses: Vec<&str> = preset.defenses.iter().map(String::as_str).collect();
    let subject = select::subjects(std::slice::from_ref(cell)).pop().unwrap_or_default();
    let mut entries = vec![undefended(cell, scan)];
    for half in &cell.halves {
        let runs = half.runs.iter().map(|run| (run.id.as_str(), &run.view));
        entries.push(Entry::of(&shown("defense.name", half.defense), palette::defense(half.defense), runs, preset.trails));
    }
    Plane {
        title: format!("{}, {}", shown(COLUMNS, &cell.column), shown(ROWS, &cell.row)),
        entries,
        front: preset.front,
        reported: reported::in_plane(reported, &subject, &defenses),
    }
}

/// The backdoored models that the defenses started from, once each.
fn undefended(cell: &Cell, scan: &Scan) -> Entry {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for run in cell.halves.iter().flat_map(|half| &half.runs) {
        let outcome = start(run, scan);
        outcomes.extend(outcome.filter(|o| outcomes.iter().all(|other| (&other.run, other.seed) != (&o.run, o.seed))));
    }
    // Of a model whose own log is gone, one defense's look at it is enough.
    outcomes.sort_by_key(|o| (o.seed, scan.get(&o.run).is_none_or(|run| run.parent.is_some())));
    outcomes.dedup_by_key(|o| o.seed);
    Entry { label: reported::shown_name(UNDEFENDED), look: palette::undefended(), outcomes, trail: Vec::new() }
}

/// What the attack's own run measured at its end; where that is not there, what the defense saw before its first step,
/// unless it trains a new network.
fn start(run: &RunEntry, scan: &Scan) -> Option<Outcome> {
    let parent = run.parent.as_deref().and_then(|parent| scan.get(parent));
    let own = || Some(Outcome::of(&run.id, run.spec.seed, 0.0, &run.view.before()?)).filter(|_| !run.spec.defense.filters());
    parent.and_then(|parent| Outcome::last(&parent.id, &parent.view)).or_else(own)
}

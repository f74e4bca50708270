//! What becomes of a defense as one of its settings changes (paper Figures 7, 8 and 9; spec.md section 9).

use super::curves;
use super::plane::{Outcome, spread};
use crate::figure::names::{order, shown};
use crate::figure::notes;
use crate::figure::palette;
use crate::figure::preset::{Ablation, Measure, Over};
use crate::figure::reported::{self, About, Collection};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Axis, Look, Panel, Point, Scene, Series, Source};
use crate::figure::select::{self, Cell, Half, Wanted};
use crate::figure::ticks::{number, rate};
use crate::run::event::Measures;
use crate::spec::field;

const ROWS: &str = "data.name";
const COLUMNS: &str = "attack.name";

/// The panels and notes; `None` when no run belongs to the figure.
pub fn scene(ablation: &Ablation, scan: &Scan, collections: &[Collection]) -> Option<Scene> {
    let wanted = Wanted {
        scenario: ablation.scenario,
        rows: ROWS,
        columns: COLUMNS,
        defenses: vec![&ablation.defense],
        along: Some(&ablation.setting),
        held: ablation.held.iter().map(|(path, value)| (path.as_str(), *value)).collect(),
        ..Wanted::default()
    };
    let mut cells = select::cells(scan, &wanted);
    // One value tells nothing of a setting: it is drawn only where there is no more anywhere.
    let changed = |cell: &Cell| cell.halves.len() > 1;
    let alone = if cells.iter().any(changed) { cells.extract_if(.., |cell| !changed(cell)).collect() } else { Vec::new() };
    cells.sort_by_key(|cell| (order(ROWS, &cell.row), order(COLUMNS, &cell.column)));
    if cells.is_empty() {
        return None;
    }
    let (columns, panels) = match ablation.over {
        Over::Setting => over_setting(ablation, &cells, collections),
        Over::Epochs => over_epochs(ablation, &cells),
    };
    let (mut footnotes, spread) = match ablation.over {
        Over::Setting => (vec![notes::last_epochs(&cells).to_owned()], ""),
        Over::Epochs => (Vec::new(), notes::RANGE),
    };
    footnotes.extend(notes::footnotes(&cells, scan, &wanted, spread));
    footnotes.extend(single(&alone, &wanted, ablation));
    footnotes.extend(reported::notes(collections, &select::subjects(&cells), &panels, About::Defenses));
    Some(Scene { columns, panels, footnotes, ..Scene::default() })
}

/// Names what was run with one value alone.
fn single(alone: &[Cell], wanted: &Wanted, ablation: &Ablation) -> Option<String> {
    let names: Vec<String> = alone.iter().map(|cell| notes::title(&cell.row, &cell.column, wanted)).collect();
    (!names.is_empty()).then(|| format!("Not drawn, with one value of {} alone: {}.", label(ablation), names.join("; ")))
}

/// The setting's name.
fn label(ablation: &Ablation) -> &str {
    field::find(&ablation.setting).map_or(ablation.setting.as_str(), |field| field.label)
}

/// A row for each measure, a column for each data set, a curve for each attack.
fn over_setting(ablation: &Ablation, cells: &[Cell], collections: &[Collection]) -> (usize, Vec<Panel>) {
    let rows: Vec<&[Cell]> = cells.chunk_by(|a, b| a.row == b.row).collect();
    let mut values: Vec<f64> = cells.iter().flat_map(|cell| &cell.halves).filter_map(|half| half.at).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut panels = Vec::new();
    for measure in &ablation.measures {
        for of_data in &rows {
            let mut series = Vec::new();
            for cell in *of_data {
                let subject = select::subjects(std::slice::from_ref(cell)).pop().unwrap_or_default();
                let (name, look) = (shown(COLUMNS, &cell.column), palette::series(order(COLUMNS, &cell.column)));
                let what = ((ablation.defense.as_str(), *measure), (ablation.setting.as_str(), &ablation.held), (name.as_str(), look));
                series.extend(reported::along_setting(collections, &subject, what.0, what.1, what.2));
            }
            series.extend(of_data.iter().map(|cell| attack(cell, *measure)));
            panels.push(Panel {
                title: format!("{}, {}", measure.name(), shown(ROWS, &of_data[0].row)),
                x: Axis::over(if ablation.x.is_empty() { label(ablation) } else { &ablation.x }, &values, 6, 0.05),
                y: Axis::linear(measure.name(), 0.0, 1.0, 5, 0.035),
                series,
                all_marks: true,
                stretch: 1.0,
                ..Panel::default()
            });
        }
    }
    (rows.len(), panels)
}

/// The mean at each value, with the deviation over seeds.
fn attack(cell: &Cell, measure: Measure) -> Series {
    let point = |half: &Half| {
        let sources: Vec<Source> = half.runs.iter().filter_map(|run| last(run, measure)).collect();
        let (mean, deviation) = spread(&sources.iter().map(|s| s.value).collect::<Vec<_>>());
        let upright = (sources.len() > 1).then_some((mean - deviation, mean + deviation));
        Point { x: half.at.unwrap_or(f64::NAN), y: mean, upright, sources, ..Point::default() }
    };
    let look = palette::series(order(COLUMNS, &cell.column));
    Series { label: shown(COLUMNS, &cell.column), look, points: cell.halves.iter().filter(|half| !half.runs.is_empty()).map(point).collect() }
}

/// A run's last look at the whole test set.
fn last(run: &RunEntry, measure: Measure) -> Option<Source> {
    let outcome = Outcome::last(&run.id, &run.view)?;
    let measures: Measures = run.view.latest()?;
    Some(Source { run: outcome.run, seed: run.spec.seed, epoch: outcome.epoch, value: measure.of(&measures), across: None })
}

/// A row for each measure, a column for each data set and attack, a curve for each value of the setting.
fn over_epochs(ablation: &Ablation, cells: &[Cell]) -> (usize, Vec<Panel>) {
    let mut values: Vec<f64> = cells.iter().flat_map(|cell| &cell.halves).filter_map(|half| half.at).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut panels = Vec::new();
    for measure in &ablation.measures {
        for cell in cells {
            let end = cell.halves.iter().flat_map(|half| &half.runs).map(|run| curves::last_epoch(run)).max().unwrap_or(1);
            let place = |half: &Half| values.iter().position(|v| Some(*v) == half.at).unwrap_or(0);
            let drawn = |half: &Half| curve(half, *measure, palette::series(place(half)), ablation);
            panels.push(Panel {
                title: format!("{}, {}, {}", measure.name(), shown(COLUMNS, &cell.column), shown(ROWS, &cell.row)),
                x: Axis::counted("epoch", 0.0, end as f64, 7, 0.02),
                y: Axis::linear(measure.name(), 0.0, 1.0, 5, 0.035),
                series: cell.halves.iter().filter(|half| !half.runs.is_empty()).map(drawn).collect(),
                stretch: 1.0,
                ..Panel::default()
            });
        }
    }
    (cells.len(), panels)
}

fn curve(half: &Half, measure: Measure, look: Look, ablation: &Ablation) -> Series {
    let at = |epoch: f64| half.runs.iter().filter_map(|run| curves::at_epoch(run, epoch, measure)).collect();
    let points = curves::looked(&half.runs).map(|epoch| curves::mean(epoch, at(epoch))).collect();
    let value = half.at.map_or_else(String::new, if ablation.setting.contains("lr") { rate } else { number });
    Series { label: format!("{} {value}", label(ablation)), look, points }
}

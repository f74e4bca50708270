//! The runs that a figure is made of, and which of them are there.

use super::runs::{RunEntry, Scan};
use super::{FigureError, FigureId, preset};
use crate::run::view::Status;
use crate::spec::sweep::Cell;
use crate::spec::{RunSpec, Stage, Start};
use std::collections::BTreeSet;

/// How large the runs of a figure are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// The paper's data sets and settings.
    #[default]
    Full,
    /// The embedded sets, for a laptop.
    Reduced,
}

impl Scale {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reduced => "reduced",
        }
    }
}

/// The cells of a figure, attacks first; none where it needs no run.
///
/// # Errors
/// When its preset cannot be understood, or says nothing of this scale.
pub fn cells(id: FigureId, scale: Scale) -> Result<Vec<Cell>, FigureError> {
    let preset = preset::load(id)?;
    if matches!(preset.draw, preset::Draw::Schedule(_)) {
        return Ok(Vec::new());
    }
    let runs = if scale == Scale::Full { preset.full } else { preset.reduced };
    let nothing = || FigureError::Settings { figure: id.to_string(), message: format!("names no {} runs", scale.name()) };
    let named = |message| FigureError::Preset { origin: format!("{}, {} runs", id.stem(), scale.name()), message };
    runs.ok_or_else(nothing)?.cells().map_err(|e| named(e.to_string()))
}

/// The finished run of a cell, whoever computed it.
pub fn run<'a>(scan: &'a Scan, cell: &Cell) -> Option<&'a RunEntry> {
    let wanted = cell.run().ok()?;
    scan.runs.iter().find(|run| run.finished() && !run.steered() && run.view.stage == Some(cell.stage) && same(&run.spec, &wanted, cell.stage))
}

fn same(a: &RunSpec, b: &RunSpec, stage: Stage) -> bool {
    if stage == Stage::Defense { a == b } else { a.backdoored() == b.backdoored() }
}

/// The runs of `cells` alone.
#[must_use]
pub fn only(scan: Scan, cells: &[Cell]) -> Scan {
    let specs: Vec<(Stage, RunSpec)> = cells.iter().filter_map(|c| Some((c.stage, c.run().ok()?))).collect();
    let wanted = |run: &RunEntry| {
        let stage = run.view.stage;
        !run.steered() && specs.iter().any(|(own, spec)| stage == Some(*own) && same(&run.spec, spec, *own))
    };
    let of_cells: BTreeSet<String> = scan.runs.iter().filter(|run| wanted(run)).map(|run| run.id.clone()).collect();
    // The backdoor put in again, into the model of a cell or into a clean one.
    let again = |run: &RunEntry| {
        let Some(what) = &run.view.facts.reinjection else { return false };
        of_cells.contains(&what.source) && (what.start != Start::Defended || run.parent.as_ref().is_some_and(|id| of_cells.contains(id)))
    };
    let kept = |run: &RunEntry| run.view.status == Status::Finished && (wanted(run) || again(run));
    Scan { runs: scan.runs.iter().filter(|run| kept(run)).cloned().collect(), ..scan }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::Facts;
    use crate::run::view::RunView;

    fn entry(spec: RunSpec, stage: Stage, status: Status) -> RunEntry {
        let view = RunView { stage: Some(stage), status, facts: Facts::default(), ..RunView::default() };
        RunEntry { id: "r".to_owned(), dir: "r".into(), spec, parent: None, view, done: true }
    }

    #[test]
    fn every_figure_says_what_it_is_made_of() {
        for id in FigureId::all() {
            for scale in [Scale::Full, Scale::Reduced] {
                for cell in cells(id, scale).unwrap_or_else(|e| panic!("{e}")) {
                    cell.run().unwrap_or_else(|e| panic!("{id}, {}: {e}", cell.words()));
                }
            }
        }
    }

    #[test]
    fn a_cell_is_there_when_a_run_of_its_settings_has_ended() {
        let cells = cells(FigureId::Figure(4), Scale::Reduced).unwrap();
        let (attack, defense) = (&cells[0], cells.iter().find(|c| c.stage == Stage::Defense).unwrap());
        let of = |cell: &Cell, status| entry(cell.run().unwrap(), cell.stage, status);
        // The attack's run was started on the way to another defense.
        let mut planted = of(attack, Status::Finished);
        planted.spec.defense.epochs += 1;
        let other = {
            let mut other = of(defense, Status::Finished);
            other.spec.seed = 9;
            other
        };
        let scan = Scan { runs: vec![planted, of(defense, Status::Stopped), other], ..Scan::default() };
        assert!(run(&scan, attack).is_some() && run(&scan, defense).is_none());
        assert_eq!(only(scan, &cells).runs.len(), 1);
    }
}

//! The runs that a figure is made of, and which of them are there.

use super::runs::{RunEntry, Scan};
use super::{FigureError, FigureId, Scene, Source, preset};
use crate::run::view::Status;
use crate::spec::sweep::Cell;
use crate::spec::work::Speeds;
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

/// Figure `id` at `scale`: the reduced one of its own runs alone, the full one from whatever of it was run.
///
/// # Errors
/// As [`super::build`].
pub fn scene(id: FigureId, scale: Scale, source: Source) -> Result<Scene, FigureError> {
    let scan = if scale == Scale::Reduced { only(source.scan, &cells(id, scale)?) } else { source.scan };
    super::build(id, &Source { scan, scale, ..source })
}

/// Name of the files that a figure is written to, without an ending: `figure-04-reduced`.
pub fn stem(id: FigureId, scale: Scale) -> String {
    if scale == Scale::Reduced { format!("{}-reduced", id.stem()) } else { id.stem() }
}

/// The cells of which there is no finished run.
pub fn missing<'a>(scan: &Scan, cells: &'a [Cell]) -> Vec<&'a Cell> {
    cells.iter().filter(|cell| run(scan, cell).is_none()).collect()
}

/// Where a figure stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The figure.
    pub id: FigureId,
    /// What it shows.
    pub title: String,
    /// Runs that it is made of, and how many of them are missing; none where it names no runs of this scale.
    pub runs: Option<(usize, usize)>,
    /// Re-injections that it is made of beside, and how many of them are missing.
    pub again: (usize, usize),
    /// Seconds that computing what is missing takes, one after the other with all threads, as far as that is known.
    pub seconds: Option<f64>,
}

impl Standing {
    /// Where figure `id` of `scale` stands.
    ///
    /// # Errors
    /// When its preset cannot be understood.
    pub fn of(id: FigureId, scale: Scale, scan: &Scan, speeds: &Speeds) -> Result<Self, FigureError> {
        let title = preset::load(id)?.title;
        match cells(id, scale) {
            Ok(cells) => Ok(Self { id, title, ..Self::of_cells(&cells, &injections(id, scale, &cells)?, scan, speeds) }),
            Err(FigureError::Settings { .. }) => Ok(Self { id, title, runs: None, again: (0, 0), seconds: Some(0.0) }),
            Err(other) => Err(other),
        }
    }

    /// Where some cells and re-injections stand.
    pub fn of_cells(cells: &[Cell], injections: &[(Start, RunSpec)], scan: &Scan, speeds: &Speeds) -> Self {
        let missing = missing(scan, cells);
        let to_inject: Vec<_> = injections.iter().filter(|(start, spec)| !injected(scan, *start, spec)).collect();
        let planted = missing.iter().map(|cell| speeds.cell(&cell.run().ok()?, cell.stage).map(|e| e.seconds));
        let again = to_inject.iter().map(|(_, spec)| speeds.again(spec).map(|e| e.seconds));
        Self {
            id: FigureId::Figure(0),
            title: String::new(),
            runs: Some((cells.len(), missing.len())),
            again: (injections.len(), to_inject.len()),
            seconds: planted.chain(again).sum(),
        }
    }

    /// Whether nothing is missing.
    pub fn whole(&self) -> bool {
        self.runs.is_some_and(|(_, missing)| missing == 0) && self.again.1 == 0
    }
}

/// The re-injections that figure `id` shows of its `cells`: into each defense's model, and into a clean one.
///
/// # Errors
/// When its preset cannot be understood.
pub fn injections(id: FigureId, scale: Scale, cells: &[Cell]) -> Result<Vec<(Start, RunSpec)>, FigureError> {
    let preset::Draw::Reinjection(draw) = preset::load(id)?.draw else { return Ok(Vec::new()) };
    let preset::Reinjection { ratios, epochs, .. } = draw.at(scale);
    let of = |cell: &Cell| {
        let start = if cell.stage == Stage::Defense { Start::Defended } else { Start::Clean };
        let spec = cell.run().ok();
        ratios.iter().filter_map(|ratio| Some((start, spec.as_ref()?.reinjection(start, *ratio, epochs)))).collect::<Vec<_>>()
    };
    Ok(cells.iter().flat_map(of).collect())
}

/// Whether a re-injection with these settings has come to its end.
fn injected(scan: &Scan, start: Start, spec: &RunSpec) -> bool {
    let same =
        |run: &RunEntry| run.view.facts.reinjection.as_ref().is_some_and(|what| what.start == start) && run.spec.unwatched() == spec.unwatched();
    scan.runs.iter().any(|run| run.finished() && run.view.stage == Some(Stage::Reinjection) && same(run))
}

/// The finished run of a cell, whoever computed it.
pub fn run<'a>(scan: &'a Scan, cell: &Cell) -> Option<&'a RunEntry> {
    let wanted = cell.run().ok()?;
    scan.runs.iter().find(|run| run.finished() && !run.steered() && run.view.stage == Some(cell.stage) && same(&run.spec, &wanted, cell.stage))
}

fn same(a: &RunSpec, b: &RunSpec, stage: Stage) -> bool {
    let (a, b) = (a.unwatched(), b.unwatched());
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
        // How closely it was watched makes it no other run.
        let mut seldom = of(defense, Status::Finished);
        seldom.spec.watch.test_every += 4;
        assert!(run(&Scan { runs: vec![seldom], ..Scan::default() }, defense).is_some());
        assert_eq!(only(scan, &cells).runs.len(), 1);
    }
}

//! `tuneout report`: everything that was computed, on one page.

use super::missing::{self, MadeOf};
use super::{CliError, Exit, Place};
use crate::export::report::{self, Entry, Report};
use crate::figure::cells::{self, Scale};
use crate::figure::runs::{self, Scan};
use crate::figure::{FigureError, FigureId, Source, preset};
use crate::files;
use clap::Args;
use std::path::PathBuf;

/// What stands in the report, and where it goes.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    made_of: MadeOf,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

/// Writes the report.
pub fn make(args: &ReportArgs, place: &Place) -> Result<Exit, CliError> {
    let scale = args.made_of.scale();
    let computed = missing::compute(&FigureId::all(), &args.made_of, place)?;
    if matches!(computed, Exit::Interrupted | Exit::Preempted) {
        return Ok(computed);
    }
    let scan = runs::scan(&place.runs())?;
    for damage in &scan.damaged {
        eprintln!("tuneout: {damage}; left out");
    }
    let mut all = Vec::new();
    let mut figures = Vec::new();
    for id in FigureId::all() {
        let own = missing::cells_of(id, scale)?;
        figures.push(entry(id, scale, &own, &scan)?);
        all.extend(own);
    }
    // At full scale a figure shows whatever was run, and so do the tables.
    let scan = if args.made_of.reduced() { cells::only(scan, &all) } else { scan };
    let page = report::html(&Report { scale: scale.name(), figures, scan })?;
    let unwritten = |source| FigureError::Io { path: args.out.clone(), source };
    files::write(&args.out, page.as_bytes()).map_err(unwritten)?;
    println!("{}", args.out.display());
    Ok(computed)
}

fn entry(id: FigureId, scale: Scale, own: &[crate::spec::sweep::Cell], scan: &Scan) -> Result<Entry, CliError> {
    let there = own.iter().filter(|c| cells::run(scan, c).is_some()).count();
    let scene = match cells::scene(id, scale, Source::of(scan.clone())) {
        Ok(scene) => Some(scene),
        Err(FigureError::Empty { .. } | FigureError::Unmeasured { .. }) => None,
        Err(other) => return Err(other.into()),
    };
    Ok(Entry { id, title: preset::load(id)?.title, scene, runs: (there, own.len()) })
}

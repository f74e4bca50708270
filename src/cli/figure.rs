//! `tuneout figure`: the paper's figures from the logs.

use super::missing::{self, MadeOf};
use super::{CliError, Exit, Place};
use crate::export::ExportError;
use crate::figure::cells;
use crate::figure::reported::Origin;
use crate::figure::runs::Scan;
use crate::figure::{self, FigureError, FigureId, Format, Source, runs};
use crate::run::find;
use crate::spec::preset;
use clap::Args;
use std::path::{Path, PathBuf};

/// Which figure, and how it is written.
#[derive(Debug, Args)]
pub struct FigureArgs {
    /// Figure or table of the paper: 4, table1 and so on; all of them; list: what was run for each; or evidence: what the
    /// defense of RUN saw
    #[arg(value_name = "FIGURE")]
    number: String,
    /// Run directory of a defense, for evidence: its name, the beginning of it, or a path
    run: Option<String>,
    /// Preset whose schedule Figure 1 shows [default: the paper's]
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Attacks that Table 1 shows, separated by commas [default: the paper's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    attacks: Vec<String>,
    #[command(flatten)]
    made_of: MadeOf,
    /// Whose reported numbers stand faintly behind what was run, separated by commas: paper, leaderboard [default: none]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    references: Vec<String>,
    /// Formats, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "svg,png,csv")]
    format: Vec<String>,
    /// Directory to write to
    #[arg(long, value_name = "DIR", default_value = "figures")]
    out: PathBuf,
}

/// The figure that is no paper's.
const EVIDENCE: &str = "evidence";

/// Words in place of a figure's number.
const ALL: &str = "all";
const LIST: &str = "list";

/// Builds figures from what was run and writes them.
pub fn make(args: &FigureArgs, place: &Place) -> Result<Exit, CliError> {
    let (runs, scale) = (place.runs(), args.made_of.scale());
    let formats = args.format.iter().map(|name| name.parse()).collect::<Result<Vec<Format>, _>>()?;
    if args.number == EVIDENCE {
        if !args.references.is_empty() {
            return Err(unfit(EVIDENCE, "shows no measurement that others report; leave --references out".to_owned()));
        }
        return evidence(args, &runs, &formats);
    }
    if let Some(run) = &args.run {
        return Err(unfit(&args.number, format!("shows what was run; leave `{run}` out")));
    }
    if args.number == LIST {
        return missing::list(scale, place);
    }
    let ids = if args.number == ALL { FigureId::all() } else { vec![args.number.parse()?] };
    let computed = missing::compute(&ids, &args.made_of, place)?;
    if matches!(computed, Exit::Interrupted | Exit::Preempted) {
        return Ok(computed);
    }
    let scan = runs::scan(&runs)?;
    for damage in &scan.damaged {
        eprintln!("tuneout: {damage}; left out");
    }
    let [only] = ids[..] else { return every(&ids, args, &scan, &formats, computed) };
    one(only, args, scan, &formats)?;
    Ok(computed)
}

/// Every figure for which something was run.
fn every(ids: &[FigureId], args: &FigureArgs, scan: &Scan, formats: &[Format], computed: Exit) -> Result<Exit, CliError> {
    let mut left_out = 0;
    for &id in ids {
        match one(id, args, scan.clone(), formats) {
            Err(CliError::Figure(error @ (FigureError::Empty { .. } | FigureError::Unmeasured { .. } | FigureError::Settings { .. }))) => {
                eprintln!("tuneout: {error}; left out");
                left_out += 1;
            }
            other => other?,
        }
    }
    Ok(if left_out > 0 && computed == Exit::Ok { Exit::Failed } else { computed })
}

fn one(id: FigureId, args: &FigureArgs, scan: Scan, formats: &[Format]) -> Result<(), CliError> {
    let scale = args.made_of.scale();
    let references = args.references.iter().map(|name| name.parse()).collect::<Result<Vec<Origin>, _>>()?;
    // Among all figures are those of settings and pictures, which nobody reports.
    let references = if args.number == ALL && !figure::reports(id)? { Vec::new() } else { references };
    let mut source = Source { references, attacks: args.attacks.iter().map(|name| name.trim().to_owned()).collect(), ..Source::of(scan) };
    if let Some(name) = &args.preset {
        source.settings = Some((name.clone(), preset::load(name)?.spec));
    }
    let scene = cells::scene(id, scale, source)?;
    for file in figure::write(&scene, &args.out, &cells::stem(id, scale), formats)? {
        println!("{}", file.display());
    }
    Ok(())
}

/// What the defense of one run saw.
fn evidence(args: &FigureArgs, runs: &Path, formats: &[Format]) -> Result<Exit, CliError> {
    let Some(name) = &args.run else {
        return Err(unfit(EVIDENCE, "shows one run: name it, as in `tuneout figure evidence RUN`; `tuneout runs` lists them".to_owned()));
    };
    let dir = find::find(runs, name).map_err(ExportError::from)?;
    let run = runs::read(&dir).map_err(ExportError::Damaged)?;
    let pictures = figure::evidence::read(&dir, &run.view);
    if let Some(trouble) = &pictures.trouble {
        eprintln!("tuneout: {trouble}; left out");
    }
    let subject = figure::evidence::Subject { view: &run.view, spec: &run.spec, pictures: &pictures };
    let nothing = || unfit(EVIDENCE, format!("has nothing to show of {}: {}", run.id, figure::evidence::silence(&run.view, &run.spec)));
    let scene = figure::evidence::scene(&subject).ok_or_else(nothing)?;
    for file in figure::write(&scene, &args.out, &figure::evidence::stem(&run.id), formats)? {
        println!("{}", file.display());
    }
    Ok(Exit::Ok)
}

fn unfit(figure: &str, message: String) -> CliError {
    FigureError::Settings { figure: figure.to_owned(), message }.into()
}

//! `tuneout figure`: the paper's figures from the logs.

use super::{CliError, Exit};
use crate::export::ExportError;
use crate::figure::{self, FigureError, FigureId, Format, Source, runs};
use crate::run::find;
use crate::spec::preset;
use clap::Args;
use std::path::{Path, PathBuf};

/// Which figure, and how it is written.
#[derive(Debug, Args)]
pub struct FigureArgs {
    /// Figure or table of the paper: 1, 2, 3, 4 or table1; or evidence: what the defense of RUN saw
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
    /// Formats, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "svg,png,csv")]
    format: Vec<String>,
    /// Directory to write to
    #[arg(long, value_name = "DIR", default_value = "figures")]
    out: PathBuf,
}

/// The figure that is no paper's.
const EVIDENCE: &str = "evidence";

/// Builds the figure from what was run and writes it.
pub fn make(args: &FigureArgs, runs: &Path) -> Result<Exit, CliError> {
    let formats = args.format.iter().map(|name| name.parse()).collect::<Result<Vec<Format>, _>>()?;
    if args.number == EVIDENCE {
        return evidence(args, runs, &formats);
    }
    let id: FigureId = args.number.parse()?;
    if let Some(run) = &args.run {
        return Err(unfit(&id.to_string(), format!("shows what was run; leave `{run}` out")));
    }
    let scan = runs::scan(runs)?;
    for damage in &scan.damaged {
        eprintln!("tuneout: {damage}; left out");
    }
    let mut source = Source { attacks: args.attacks.iter().map(|name| name.trim().to_owned()).collect(), ..Source::of(scan) };
    if let Some(name) = &args.preset {
        source.settings = Some((name.clone(), preset::load(name)?.spec));
    }
    let scene = figure::build(id, &source)?;
    for file in figure::write(&scene, &args.out, &id.stem(), &formats)? {
        println!("{}", file.display());
    }
    Ok(Exit::Ok)
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

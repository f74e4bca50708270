//! `tuneout figure`: the paper's figures from the logs.

use super::{CliError, Exit};
use crate::figure::{self, FigureId, Format, Source, runs};
use crate::spec::preset;
use clap::Args;
use std::path::{Path, PathBuf};

/// Which figure, and how it is written.
#[derive(Debug, Args)]
pub struct FigureArgs {
    /// Figure or table of the paper: 1, 2, 3, 4 or table1
    number: String,
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

/// Builds the figure from what was run and writes it.
pub fn make(args: &FigureArgs, runs: &Path) -> Result<Exit, CliError> {
    let id: FigureId = args.number.parse()?;
    let formats = args.format.iter().map(|name| name.parse()).collect::<Result<Vec<Format>, _>>()?;
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

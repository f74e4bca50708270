//! `tuneout data`: contact sheets and checks.

use super::{CliError, Exit};
use crate::data::{self, DataDirs, DataError, Part};
use crate::run::files;
use crate::spec::{Data, RunSpec};
use clap::Subcommand;
use std::io::Cursor;
use std::path::PathBuf;

/// What to do with a data set.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write a contact sheet: a row of samples for each class
    #[command(after_help = "Example:\n  tuneout data show signs --out sheet.png")]
    Show {
        /// Data set: signs-12, signs, digits or cifar10
        name: String,
        /// Picture file to write
        #[arg(long, value_name = "FILE", default_value = "sheet.png")]
        out: PathBuf,
        /// Samples of each class
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=64))]
        columns: u32,
        /// Screen pixels for each image pixel
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
        scale: u32,
        /// Show training images instead of test images
        #[arg(long)]
        train: bool,
        /// Change a setting of the data, for instance data.noise=20 (may be repeated)
        #[arg(long, value_name = "KEY=VALUE", value_parser = super::key_value)]
        set: Vec<(String, String)>,
    },
    /// Verify that a data set is whole
    Check {
        /// Data set: signs-12, signs, digits or cifar10
        name: String,
    },
}

/// Carries it out.
pub fn act(action: &Action, dirs: &DataDirs) -> Result<Exit, CliError> {
    match action {
        Action::Show { name, out, columns, scale, train, set } => {
            let data = named(name, set)?;
            let classes = data::classes(&data, dirs)?;
            let part = if *train { Part::Train } else { Part::Test };
            let split = data::sample(&data, dirs, part, *columns as usize * classes.len())?;
            let sheet = data::contact_sheet(&split, &classes, *columns as usize, *scale as usize)?;
            let mut png = Cursor::new(Vec::new());
            let failed = |e: std::io::Error| DataError::Io { file: out.clone(), source: e };
            sheet.write_to(&mut png, image::ImageFormat::Png).map_err(|e| failed(std::io::Error::other(e)))?;
            files::write(out, png.get_ref()).map_err(failed)?;
            println!("{}", out.display());
        }
        Action::Check { name } => {
            for line in data::check(&named(name, &[])?, dirs)? {
                println!("{line}");
            }
        }
    }
    Ok(Exit::Ok)
}

fn named(name: &str, set: &[(String, String)]) -> Result<Data, CliError> {
    let spec = RunSpec::default().with("data.name", name, "data")?;
    Ok(spec.with_all(set, "--set")?.data)
}

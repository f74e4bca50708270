//! `tuneout data`: what is there, contact sheets, checks, downloads.

use super::progress::Transfer;
use super::{CliError, Exit};
use crate::data::{self, DataDirs, DataError, Part, fetch};
use crate::files;
use crate::spec::{Data, RunSpec};
use clap::Subcommand;
use std::io::Cursor;
use std::path::PathBuf;

/// What to do with a data set.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Say which data sets are there, where, and how to get the others
    List,
    /// Write a contact sheet: a row of samples for each class
    #[command(after_help = "Example:\n  tuneout data show signs --out sheet.png")]
    Show {
        /// Data set: a name that `tuneout data list` shows
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
        /// Data set: a name that `tuneout data list` shows
        name: String,
        /// Change a setting of the data, for instance data.path=DIR (may be repeated)
        #[arg(long, value_name = "KEY=VALUE", value_parser = super::key_value)]
        set: Vec<(String, String)>,
    },
    /// Download a data set from its official address, check it and unpack it
    #[command(
        after_help = "A download that broke off goes on where it was. Nothing else of this program opens a connection.\n\nExample:\n  tuneout data fetch cifar10 --data-dir DIR"
    )]
    Fetch {
        /// Data set: a name that `tuneout data list` shows
        name: String,
        /// Address of a folder that holds the same files
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
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
        Action::List => list(dirs)?,
        Action::Check { name, set } => print(data::check(&named(name, set)?, dirs)?),
        Action::Fetch { name, mirror } => {
            let (data, mut transfer) = (named(name, &[])?, Transfer::new());
            let result = fetch::fetch(&data, mirror.as_deref(), dirs, &mut |file, done, total| transfer.show(file, done, total));
            transfer.end();
            print(result?);
        }
    }
    Ok(Exit::Ok)
}

fn print(lines: Vec<String>) {
    for line in lines {
        println!("{line}");
    }
}

/// A line for each set: where it is, or how to get it.
fn list(dirs: &DataDirs) -> Result<(), CliError> {
    for name in Data::NAMES {
        let words = match data::place(&named(name, &[])?, dirs) {
            Ok(None) => "drawn by the program".to_owned(),
            Ok(Some(place)) => place.display().to_string(),
            Err(DataError::Missing { hint, .. }) => match fetch::find(name) {
                Some(source) => format!("missing: tuneout data fetch {name} ({}; {})", source.size, source.licence),
                None => format!("missing: {}{}", hint[..1].to_lowercase(), &hint[1..]),
            },
            Err(error) => format!("damaged: {error}"),
        };
        println!("{name:<16} {words}");
    }
    let places: Vec<String> = dirs.dirs.iter().map(|dir| dir.display().to_string()).collect();
    println!("\nlooked in {}", places.join(", "));
    Ok(())
}

fn named(name: &str, set: &[(String, String)]) -> Result<Data, CliError> {
    let spec = RunSpec::default().with("data.name", name, "data")?;
    Ok(spec.with_all(set, "--set")?.data)
}

//! `tuneout` on a terminal: the Bench, with the engine behind it.

use super::{CliError, Exit, Place, ScreenArgs};
use crate::app::lens::Preview;
use crate::app::sequela::Wanted;
use crate::attack;
use crate::data::{self, DataDirs};
use crate::export;
use crate::figure::cells::Scale;
use crate::figure::evidence::{self, Subject};
use crate::figure::{self, Format};
use crate::run::device::Device;
use crate::run::reinject::Reinject;
use crate::run::session::{Failure, FailureKind, Session};
use crate::run::speed;
use crate::run::trained::{Trained, TrainedError};
use crate::run::worker::{self, Request};
use crate::run::{examine, threads};
use crate::sequela::infer;
use crate::sequela::membership::{Settings, Variant};
use crate::spec::sweep::Cell;
use crate::spec::{RunSpec, Stage, Start, preset};
use crate::train::lens_indices;
use crate::ui::{self, FigureHook, Hooks, Options, UiError};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Samples of the preview, and how many test images they are chosen from.
const SAMPLES: (usize, usize) = (4, 256);

/// Where exports of the screen go.
const EXPORTS: &str = "figures";

/// Opens it; with the grid of a sweep, where there is one.
pub fn open(args: &ScreenArgs, place: &Place, sweep: Option<(PathBuf, Vec<Cell>)>) -> Result<Exit, CliError> {
    let device = place.device()?;
    let preset = preset::load(&args.preset)?;
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    let (data, runs) = (place.data(), place.runs());
    let words = device.with_threads();
    let (preview_data, examine_data, export_dir) = (data.clone(), data.clone(), PathBuf::from(EXPORTS));
    let (tested, speed_runs) = (device.clone(), runs.clone());
    let export_runs = runs.clone();
    let (again_device, again_data, infer_data) = (device.clone(), data.clone(), data.clone());
    let hooks = Hooks {
        start: Box::new({
            let runs = runs.clone();
            move |spec| worker::start(Request { spec, until: Stage::Defense, device: device.clone(), data: data.clone(), runs: runs.clone() })
        }),
        preview: Box::new(move |spec| preview(spec, &preview_data)),
        export: Box::new(move |attack, defense, spec| {
            let scene = figure::live(attack, defense, spec);
            let shown = if defense.facts.id.is_empty() { attack } else { defense };
            let stem = if shown.facts.id.is_empty() { "bench" } else { &shown.facts.id };
            let mut files = figure::write(&scene, &export_dir, stem, &Format::ALL).map_err(|e| e.to_string())?;
            let pictures = evidence::read(&export_runs.join(stem), defense);
            if let Some(scene) = evidence::scene(&Subject { view: defense, spec, pictures: &pictures }) {
                files.extend(figure::write(&scene, &export_dir, &evidence::stem(stem), &Format::ALL).map_err(|e| e.to_string())?);
            }
            Ok(files)
        }),
        speeds: Box::new(move || speed::speeds(&tested, &speed_runs)),
        examine: Box::new(move |ask, tell| threads::behind(|| examine::examine(ask, &examine_data, tell)).map_err(|e| e.to_string())),
        comparison: Box::new(|comparison| export::comparison::write(comparison, Path::new(EXPORTS)).map_err(|e| e.to_string())),
        scene: Box::new(|scene, stem| figure::write(scene, Path::new(EXPORTS), stem, &Format::ALL).map_err(|e| e.to_string())),
        figure: figure_command(place),
        infer: Box::new(move |dir, tell| {
            let settings = Settings::of(Variant::Paper);
            threads::behind(|| infer::infer(dir, &settings, &infer_data, tell)).map(|(report, _)| report).map_err(|e| e.to_string())
        }),
        reinject: Box::new(move |wanted| again(wanted, &again_device, &again_data)),
        device: words,
        runs_dir: runs,
    };
    let theme = (args.theme != "auto").then(|| args.theme.clone());
    let options = Options { ascii: args.ascii, theme, no_mouse: args.no_mouse, sweep, fps: 0 };
    match ui::run(options, preset.spec, Some(preset.name), hooks) {
        Ok(()) => Ok(Exit::Ok),
        Err(error @ UiError::Signal(signal)) => {
            eprintln!("tuneout: {error}");
            Ok(Exit::of_signal(signal))
        }
        Err(error) => Err(error.into()),
    }
}

/// The command that computes what a figure is made of, and writes it where exports go.
fn figure_command(place: &Place) -> FigureHook {
    let (device, threads, runs, data) = (place.device.clone(), place.threads, place.runs(), place.data_dir.clone());
    Box::new(move |id, scale| {
        let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tuneout")));
        command.args(["figure", &id.word(), "--run-missing", "--out", EXPORTS, "--device", &device]).arg("--runs-dir").arg(&runs);
        if threads > 0 {
            command.args(["--threads", &threads.to_string()]);
        }
        if let Some(data) = &data {
            command.arg("--data-dir").arg(data);
        }
        if scale == Scale::Reduced {
            command.arg("--reduced");
        }
        command
    })
}

/// Puts a backdoor into models again.
fn again(wanted: &Wanted, device: &Device, data: &DataDirs) -> Result<Session, Failure> {
    let open = || {
        let run = Trained::open(&wanted.dir)?;
        Ok(Reinject { starts: Start::usual(run.stage), ratios: vec![wanted.ratio], epochs: wanted.epochs, attack: run.attack()?, run })
    };
    let job = open().map_err(|error: TrainedError| Failure { message: error.to_string(), kind: FailureKind::Other })?;
    let (spec, runs) = (job.run.spec.clone(), job.run.runs());
    let request = Request { spec, until: Stage::Reinjection, device: device.clone(), data: data.clone(), runs };
    Ok(worker::reinject(request, job))
}

/// A few test images, clean and triggered, before anything is computed.
fn preview(spec: &RunSpec, dirs: &DataDirs) -> Result<Preview, String> {
    let data = spec.target_data();
    let classes = data::classes(data, dirs).map_err(|e| e.to_string())?;
    let test = data::preview(data, dirs, SAMPLES.1.min(data.synthetic().map_or(SAMPLES.1, |s| s.test))).map_err(|e| e.to_string())?;
    let indices = lens_indices(&test.labels, &classes, Some(spec.attack.target), SAMPLES.0);
    let chosen = test.select(&indices);
    let attack = attack::build(&spec.attack, chosen.images.shape, spec.seed).map_err(|e| e.to_string())?;
    let Some(attack) = attack else { return Err("This attack learns its trigger while it trains: start the run to see it come.".to_owned()) };
    let triggered = attack::triggered(attack.as_ref(), &chosen.images);
    Ok(Preview { classes, indices, labels: chosen.labels, clean: chosen.images, triggered })
}

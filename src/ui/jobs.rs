//! What takes too long for a frame: pictures for the lens, sample files, exports. One thread; of the previews asked
//! for meanwhile only the last is made.

use super::{ExportHook, PreviewHook};
use crate::app::Report;
use crate::data::Images;
use crate::figure::evidence;
use crate::run::view::RunView;
use crate::spec::RunSpec;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A job.
pub enum Job {
    /// Pictures for the lens.
    Preview(Box<RunSpec>),
    /// Sample files of a run directory.
    Samples(PathBuf, usize),
    /// Pictures of what a defense saw.
    Evidence(PathBuf, Box<RunView>),
    /// Files of what is shown.
    Export(Box<(RunView, RunView, RunSpec)>),
}

struct Makers {
    preview: PreviewHook,
    export: ExportHook,
}

/// The thread that does them.
pub struct Jobs {
    ask: Sender<Job>,
    /// What came of them.
    pub reports: Receiver<Report>,
}

impl Jobs {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(preview: PreviewHook, export: ExportHook) -> std::io::Result<Self> {
        let hooks = Makers { preview, export };
        let (ask, asked) = unbounded::<Job>();
        let (tell, reports) = unbounded();
        std::thread::Builder::new().name("jobs".to_owned()).spawn(move || work(&hooks, &asked, &tell))?;
        Ok(Self { ask, reports })
    }

    /// Asks for a job.
    pub fn ask(&self, job: Job) {
        // The thread ends only with this end of the channel.
        let _ = self.ask.send(job);
    }
}

fn work(hooks: &Makers, asked: &Receiver<Job>, tell: &Sender<Report>) {
    while let Ok(first) = asked.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(asked.try_iter()).collect();
        let last = batch.iter().rposition(|job| matches!(job, Job::Preview(_)));
        let wanted = batch.into_iter().enumerate().filter(|(i, job)| !matches!(job, Job::Preview(_)) || Some(*i) == last);
        for (_, job) in wanted {
            if tell.send(carry_out(hooks, job)).is_err() {
                return;
            }
        }
    }
}

fn carry_out(hooks: &Makers, job: Job) -> Report {
    match job {
        Job::Preview(spec) => {
            let outcome = guarded(|| (hooks.preview)(&spec));
            Report::Preview(spec, outcome)
        }
        Job::Samples(dir, count) => {
            let outcome = guarded(|| samples(&dir, count).map(Box::new));
            Report::Samples(dir, outcome)
        }
        Job::Evidence(dir, view) => {
            let outcome = guarded(|| Ok(Box::new(evidence::read(&dir, &view))));
            Report::Evidence(dir, outcome)
        }
        Job::Export(shown) => Report::Exported(guarded(|| (hooks.export)(&shown.0, &shown.1, &shown.2))),
    }
}

/// A panic in a hook becomes an error: the screen goes on.
fn guarded<T>(job: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Err("this is a fault of the program".to_owned()))
}

/// Sample pictures of a run directory: clean and triggered.
fn samples(dir: &Path, count: usize) -> Result<(Images, Images), String> {
    let stack = |kind: &str| {
        let mut images: Option<Images> = None;
        for i in 0..count {
            let file = dir.join("samples").join(format!("{i}-{kind}.png"));
            let picture = image::open(&file).map_err(|e| format!("{}: {e}", file.display()))?.to_rgb8();
            let shape = [3, picture.height() as usize, picture.width() as usize];
            let images = images.get_or_insert_with(|| Images::with_capacity(shape, count));
            if images.shape != shape {
                return Err(format!("{}: not the size of the other samples", file.display()));
            }
            let raw = picture.into_raw();
            let planes: Vec<u8> = (0..3).flat_map(|channel| raw.iter().skip(channel).step_by(3).copied()).collect();
            images.push(&planes);
        }
        images.ok_or_else(|| "there are no samples".to_owned())
    };
    Ok((stack("clean")?, stack("triggered")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_files_come_back_as_planes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("samples")).unwrap();
        for (kind, red) in [("clean", 10u8), ("triggered", 200)] {
            let picture = image::RgbImage::from_fn(2, 2, |x, _| image::Rgb([red, x as u8, 7]));
            picture.save(dir.path().join(format!("samples/0-{kind}.png"))).unwrap();
        }
        let (clean, triggered) = samples(dir.path(), 1).unwrap();
        assert_eq!(clean.get(0), [10, 10, 10, 10, 0, 1, 0, 1, 7, 7, 7, 7]);
        assert_eq!(triggered.get(0)[0], 200);
        assert!(samples(dir.path(), 2).unwrap_err().contains("1-clean.png"));
    }
}

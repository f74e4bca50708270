//! Membership inference beside the screen: one model after the other, behind the training thread.

use super::InferHook;
use super::jobs::guarded;
use crate::app::Report;
use crossbeam_channel::{Receiver, Sender};
use std::path::PathBuf;

/// Asks until nobody wishes any more.
pub fn work(infer: &InferHook, wished: &Receiver<Vec<PathBuf>>, tell: &Sender<Report>) {
    for dir in wished.iter().flatten() {
        let told = |news| drop(tell.send(Report::Inferring(dir.clone(), news)));
        let outcome = guarded(|| infer(&dir, &mut |news| told(news)).map(Box::new));
        if tell.send(Report::Inferred(dir.clone(), outcome)).is_err() {
            return;
        }
    }
}

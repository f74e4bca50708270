//! Threads that compute, and their place behind the screen's.

/// How far computing threads step back: the screen answers a key at once while every core trains, at no cost in speed.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets the calling thread run behind others.
pub fn step_back() {
    // On Linux the priority belongs to the calling thread alone. Where it is refused the screen may answer later, and
    // nothing else is lost.
    #[cfg(target_os = "linux")]
    let _: Result<(), rustix::io::Errno> = rustix::process::setpriority_process(None, NICE);
}

/// Sets up the pool of computing threads; 0 takes one for each core. Later calls change nothing.
pub fn init(count: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|i| format!("compute-{i}")).start_handler(|_| step_back());
    // Fails only when the pool stands already.
    drop(pool.build_global());
}

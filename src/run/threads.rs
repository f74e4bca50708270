//! Threads that compute, their place behind the screen's, and the memory they keep.

/// How far computing threads step back: the screen answers a key at once while every core trains, at no cost in speed.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How far those step back that answer questions about a model while another trains.
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

/// Lets the calling thread run behind others.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    step_back_to(NICE);
}

/// Computes on threads of its own, behind those that train: a pool shared with training would have it wait for this work.
pub fn behind<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(rayon::current_num_threads()).thread_name(|i| format!("behind-{i}"));
    #[cfg(target_os = "linux")]
    let pool = pool.start_handler(|_| step_back_to(LAST));
    match pool.build() {
        Ok(pool) => pool.install(work),
        // Without threads to spare the answers still come.
        Err(_) => work(),
    }
}

#[cfg(target_os = "linux")]
fn step_back_to(nice: i32) {
    // On Linux the priority belongs to the calling thread alone. Who was started further back stays there. Where it is
    // refused the screen may answer later, and nothing else is lost.
    let now = rustix::process::getpriority_process(None).unwrap_or(0);
    let _: Result<(), rustix::io::Errno> = rustix::process::setpriority_process(None, nice.max(now));
}

/// Sets up the pool of computing threads; 0 takes one for each core. Later calls change nothing.
pub fn init(count: usize) {
    crate::kernel::memory::keep_freed_pages();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|i| format!("compute-{i}")).start_handler(|_| step_back());
    // Fails only when the pool stands already.
    drop(pool.build_global());
}

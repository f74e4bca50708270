//! Taking the terminal and giving it back whole: at the end, after a panic, on signals, and around Ctrl-Z.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use std::io::{self, Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours now. Static, because a panic hook and a `Drop` have to agree on it.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it is none, or refuses.
    pub fn open(mouse: bool) -> io::Result<Self> {
        take(mouse)?;
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).inspect_err(|_| give_back())?;
        Ok(Self { terminal, mouse })
    }

    /// Draws a frame in one go.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut ratatui::Frame)) -> io::Result<()> {
        execute!(stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        execute!(stdout(), EndSynchronizedUpdate)
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|s| (s.width, s.height))
    }

    /// Takes the terminal anew, whatever someone else did to it, and forgets what is on it.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn retake(&mut self) -> io::Result<()> {
        take(self.mouse)?;
        // `Terminal::clear` would ask where the cursor is, and the thread that reads keys would get the answer.
        execute!(stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        Ok(())
    }

    /// Gives the terminal back, stops this program as Ctrl-Z does, and takes the terminal again once it is continued.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&mut self, os: &Receiver<Os>) -> io::Result<()> {
        give_back();
        stop_here(os);
        self.retake()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse { execute!(stdout(), EnableMouseCapture) } else { Ok(()) }
}

/// Gives the terminal back; does nothing the second time. Errors have nobody left to read them.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), EndSynchronizedUpdate, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// Lets a panic of this thread give the terminal back before the hook that was there (color-eyre's, installed first)
/// prints. A panic of another thread must not print over the screen: its words go to the channel.
pub fn catch_panics() -> Receiver<String> {
    let (words, heard) = unbounded();
    let before = std::panic::take_hook();
    let screen = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if TAKEN.load(Ordering::SeqCst) && std::thread::current().id() != screen {
            let _ = words.send(panic.to_string());
            return;
        }
        give_back();
        before(panic);
    }));
    heard
}

/// What the operating system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// To end; the signal's number.
    End(i32),
    /// It was stopped and goes on.
    Continued,
}

/// Listens to the operating system.
///
/// # Errors
/// When signals cannot be caught.
#[cfg(unix)]
pub fn listen() -> io::Result<Receiver<Os>> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGCONT])?;
    let (tell, heard): (Sender<Os>, _) = bounded(16);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let told = tell.send(if signal == SIGCONT { Os::Continued } else { Os::End(signal) });
            if told.is_err() {
                return;
            }
        }
    })?;
    Ok(heard)
}

/// Listens to the operating system: nothing comes here.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn listen() -> io::Result<Receiver<Os>> {
    let (_tell, _): (Sender<Os>, _) = bounded(1);
    Ok(crossbeam_channel::never())
}

/// Stops the whole foreground group, as the terminal's own Ctrl-Z would; a shell that started us through another
/// program (`cargo run`) then gets its prompt back. In a group without a shell nothing happens.
#[cfg(unix)]
fn stop_here(os: &Receiver<Os>) {
    while os.try_recv().is_ok() {}
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    // The signal may reach another thread first: taking the terminal back has to wait until we were continued.
    let _ = os.recv_timeout(std::time::Duration::from_millis(300));
}

#[cfg(not(unix))]
fn stop_here(_: &Receiver<Os>) {}

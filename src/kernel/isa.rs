//! Which instructions the native kernels use, chosen once at run time.

use std::sync::OnceLock;

/// The instruction sets that the native kernels are written for, widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 16 lanes of float32, 32 registers.
    Avx512,
    /// 8 lanes of float32, 16 registers, fused multiply-add.
    Avx2,
    /// What the compiler and the `gemm` crate make of plain loops; runs everywhere.
    Portable,
}

impl Isa {
    /// All of them, widest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// Whether this machine can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::lanes::Avx512::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::lanes::Avx2::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Portable => true,
        }
    }

    /// The widest one that this machine can run.
    #[must_use]
    pub fn widest() -> Self {
        Self::ALL.into_iter().find(|isa| isa.is_available()).unwrap_or(Self::Portable)
    }

    /// The name that `TUNEOUT_ISA` knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// `name` if it names an instruction set that this machine can run, else the widest one.
    fn choose(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|isa| Some(isa.name()) == name && isa.is_available()).unwrap_or_else(Self::widest)
    }
}

/// The instruction set in use: the widest that this machine can run, or the one that the environment variable
/// `TUNEOUT_ISA` (`avx512`, `avx2`, `portable`) asks for. Read once; the same for the whole life of the process.
#[must_use]
pub fn isa() -> Isa {
    static CHOSEN: OnceLock<Isa> = OnceLock::new();
    *CHOSEN.get_or_init(|| Isa::choose(std::env::var("TUNEOUT_ISA").ok().as_deref()))
}

/// A piece of work on plain slices that the compiler vectorises by itself. `run` must be `#[inline(always)]`, so that
/// it is compiled anew for each instruction set.
pub(super) trait Task {
    /// What the work yields.
    type Output;
    /// Does the work.
    fn run(self) -> Self::Output;
}

impl Isa {
    /// Runs `task` compiled for this instruction set.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[cfg(target_arch = "x86_64")]
        {
            use super::lanes::{Avx2, Avx512, Lanes};
            match self {
                Self::Avx512 => {
                    if let Some(lanes) = Avx512::detect() {
                        return lanes.run(task);
                    }
                }
                Self::Avx2 => {
                    if let Some(lanes) = Avx2::detect() {
                        return lanes.run(task);
                    }
                }
                Self::Portable => {}
            }
        }
        task.run()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_or_missing_name_means_the_widest() {
        assert_eq!(Isa::choose(None), Isa::widest());
        assert_eq!(Isa::choose(Some("sse9")), Isa::widest());
    }

    #[test]
    fn a_name_forces_its_instruction_set_where_it_runs() {
        for isa in Isa::ALL {
            let expected = if isa.is_available() { isa } else { Isa::widest() };
            assert_eq!(Isa::choose(Some(isa.name())), expected);
        }
    }
}

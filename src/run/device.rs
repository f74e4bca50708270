//! Which device computes: chosen by name at run time, never by a panic.

use std::fmt;
use std::str::FromStr;

/// What `--device` may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA, then a discrete GPU through wgpu, else the CPU; never a software adapter.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU through wgpu; the number chooses among several.
    Wgpu(Option<usize>),
    /// An NVIDIA GPU; the number chooses among several.
    Cuda(usize),
}

/// A device that cannot be had, with the command that mends it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeviceError {
    /// No such word.
    #[error("--device {0}: allowed are auto, cpu, wgpu[:N] and cuda[:N]")]
    Unknown(String),
    /// The program was built without it.
    #[error("--device {device}: this build has no {feature} support; build with `cargo build --release --features {feature}`")]
    NotBuilt {
        /// What was asked for.
        device: String,
        /// The feature of the build.
        feature: &'static str,
    },
    /// The machine does not have it.
    #[error("--device {device}: {missing}; {remedy}")]
    Missing {
        /// What was asked for.
        device: String,
        /// What is not there.
        missing: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(text.to_owned());
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<usize>().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (name, number) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("wgpu", number) => Ok(Self::Wgpu(number)),
            ("cuda", number) => Ok(Self::Cuda(number.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(n)) => write!(f, "wgpu:{n}"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

/// A device that is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// A GPU through wgpu: its number among the discrete ones, or among all when none is discrete.
    #[cfg(feature = "wgpu")]
    Wgpu(gpu::Adapter),
    /// An NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda(usize),
}

impl Device {
    /// Whether hours on it are GPU hours.
    pub fn is_gpu(&self) -> bool {
        *self != Self::Cpu
    }

    /// In words, for instance `cpu (avx512)`. The number of threads decides no result and is left out.
    pub fn describe(&self) -> String {
        match self {
            Self::Cpu => format!("cpu ({})", crate::kernel::isa().name()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(adapter) => format!("wgpu ({}, {})", adapter.name, adapter.backend),
            #[cfg(feature = "cuda")]
            Self::Cuda(n) => format!("cuda:{n}"),
        }
    }

    /// The same with the threads that compute, for instance `cpu (avx512), 2 threads`: what speed belongs to.
    pub fn with_threads(&self) -> String {
        let threads = rayon::current_num_threads();
        format!("{}, {threads} thread{}", self.describe(), if threads == 1 { "" } else { "s" })
    }
}

/// Finds the device that `choice` asks for.
///
/// # Errors
/// When it is not built in or not on this machine; the message says what mends it.
pub fn find(choice: DeviceChoice) -> Result<Device, DeviceError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(find_cuda(0).or_else(|_| find_wgpu(None, false)).unwrap_or(Device::Cpu)),
        DeviceChoice::Wgpu(number) => find_wgpu(number, true),
        DeviceChoice::Cuda(number) => find_cuda(number),
    }
}

/// One line for each kind of device: what is there, or what is missing and what mends it.
pub fn list() -> Vec<(String, Result<String, DeviceError>)> {
    let row = |choice: DeviceChoice| (choice.to_string(), find(choice).map(|d| d.describe()));
    let mut rows = vec![row(DeviceChoice::Cpu), row(DeviceChoice::Wgpu(None)), row(DeviceChoice::Cuda(0))];
    if let Ok(device) = find(DeviceChoice::Auto) {
        rows.insert(0, ("auto".to_owned(), Ok(device.describe())));
    }
    rows
}

/// A line for a CPU build on a machine that has a GPU.
pub fn hint() -> Option<&'static str> {
    let built = cfg!(any(feature = "cuda", feature = "wgpu"));
    (nvidia_driver() && !built)
        .then_some("an NVIDIA GPU is on this machine and this build does not use it; build with `cargo build --release --features cuda`")
}

/// Whether NVIDIA's driver is loaded. Without it CUDA's library panics on a thread of its own, so this is asked first.
fn nvidia_driver() -> bool {
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "C:\\Windows\\System32\\nvcuda.dll"]
        .iter()
        .any(|p| std::path::Path::new(p).exists())
}

#[cfg(not(feature = "cuda"))]
fn find_cuda(number: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { device: DeviceChoice::Cuda(number).to_string(), feature: "cuda" })
}

#[cfg(feature = "cuda")]
fn find_cuda(number: usize) -> Result<Device, DeviceError> {
    let missing = |missing: String, remedy| Err(DeviceError::Missing { device: DeviceChoice::Cuda(number).to_string(), missing, remedy });
    if !nvidia_driver() {
        return missing("no NVIDIA driver is loaded".to_owned(), "install the driver (`nvidia-smi` must list the GPU), or use --device cpu");
    }
    let cards = std::fs::read_dir("/proc/driver/nvidia/gpus").map(|d| d.count()).unwrap_or(usize::MAX);
    if number >= cards {
        return missing(format!("the machine has {cards} NVIDIA GPUs, numbered from 0"), "choose one of them");
    }
    Ok(Device::Cuda(number))
}

#[cfg(not(feature = "wgpu"))]
fn find_wgpu(number: Option<usize>, _asked: bool) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { device: DeviceChoice::Wgpu(number).to_string(), feature: "wgpu" })
}

#[cfg(feature = "wgpu")]
fn find_wgpu(number: Option<usize>, asked: bool) -> Result<Device, DeviceError> {
    let adapters = gpu::adapters();
    let missing = |missing: String| DeviceError::Missing {
        device: DeviceChoice::Wgpu(number).to_string(),
        missing,
        remedy: "install the GPU's Vulkan driver (`vulkaninfo --summary` must list it), or use --device cpu",
    };
    // Automatically only a discrete GPU is taken; by name also an integrated or, last, a software one.
    let wanted = |a: &&gpu::Adapter| asked || a.kind == gpu::Kind::Discrete;
    match number {
        Some(n) => {
            adapters.get(n).cloned().map(Device::Wgpu).ok_or_else(|| missing(format!("{} adapters were found, numbered from 0", adapters.len())))
        }
        None => adapters.iter().find(wanted).cloned().map(Device::Wgpu).ok_or_else(|| missing("no adapter was found".to_owned())),
    }
}

#[cfg(feature = "wgpu")]
pub use gpu::Adapter;

#[cfg(feature = "wgpu")]
mod gpu {
    //! What wgpu sees of this machine.

    /// How an adapter computes, best first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Kind {
        /// A card of its own.
        Discrete,
        /// Part of the processor.
        Integrated,
        /// A virtual machine's.
        Virtual,
        /// Software.
        Software,
    }

    /// An adapter.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Adapter {
        /// Its name.
        pub name: String,
        /// The interface it is reached through.
        pub backend: String,
        /// How it computes.
        pub kind: Kind,
        /// Its number among those of its kind.
        pub number: usize,
    }

    /// Every adapter, best kind first.
    pub fn adapters() -> Vec<Adapter> {
        let instance = wgpu::Instance::default();
        let mut all: Vec<Adapter> = Vec::new();
        for adapter in instance_adapters(&instance) {
            let info = adapter.get_info();
            let kind = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => Kind::Discrete,
                wgpu::DeviceType::IntegratedGpu => Kind::Integrated,
                wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => Kind::Virtual,
                wgpu::DeviceType::Cpu => Kind::Software,
            };
            let number = all.iter().filter(|a| a.kind == kind).count();
            all.push(Adapter { name: info.name, backend: format!("{:?}", info.backend).to_lowercase(), kind, number });
        }
        all.sort_by_key(|a| a.kind);
        all
    }

    fn instance_adapters(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
        pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
    }

    impl Adapter {
        /// The framework's name for it.
        pub fn device(&self) -> burn::backend::wgpu::WgpuDevice {
            use burn::backend::wgpu::WgpuDevice;
            match self.kind {
                Kind::Discrete => WgpuDevice::DiscreteGpu(self.number),
                Kind::Integrated => WgpuDevice::IntegratedGpu(self.number),
                Kind::Virtual => WgpuDevice::VirtualGpu(self.number),
                Kind::Software => WgpuDevice::Cpu,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["auto", "cpu", "wgpu", "wgpu:1", "cuda:0", "cuda:3"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        for name in ["gpu", "cuda:x", "cpu:1", ""] {
            let message = name.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(message.contains("auto, cpu, wgpu[:N] and cuda[:N]"), "{message}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn what_is_not_built_in_says_how_to_build_it() {
        let message = find(DeviceChoice::Cuda(0)).unwrap_err().to_string();
        assert!(message.contains("cargo build --release --features cuda"), "{message}");
    }
}

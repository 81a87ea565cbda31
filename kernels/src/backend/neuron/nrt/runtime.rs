//! The runtime of this process.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::NrtError;
use super::abi::{self, InstanceInfo, NO_FRAMEWORK};
use super::library::{Library, done};
use super::trace::{self, Capture, DeviceClock};

/// Where the library is looked for when the variable names none: by the loader's own rules, then in AWS's folder.
const NAMES: [&str; 2] = ["libnrt.so.1", "/opt/aws/neuron/lib/libnrt.so.1"];
/// Variable that names the library.
const VARIABLE: &str = "FARTHING_LIBNRT";
/// The driver's first device.
const DRIVER: &str = "/dev/neuron0";
/// What a double says of itself in its version.
const FAKE: &str = "FAKE";

/// Why there is no runtime, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The library is not there.
    #[error(
        "libnrt.so.1 was not found: {looked}; on a Neuron instance install aws-neuronx-runtime-lib, or name the \
         library in {VARIABLE}"
    )]
    Library {
        /// Each place and what the loader said.
        looked: String,
    },
    /// There is no device.
    #[error(
        "libnrt is there ({library}) but {DRIVER} is not: this is no Neuron instance, or its driver is not loaded \
         (install aws-neuronx-dkms, then `modprobe neuron`)"
    )]
    Driver {
        /// Where the library was found.
        library: String,
    },
    /// The library did not start.
    #[error("the Neuron runtime did not start: {error}; is another process holding the cores (`neuron-ls`)?")]
    Init {
        /// What it said.
        error: NrtError,
    },
    /// The process sees no core.
    #[error("no NeuronCore is visible to this process; see NEURON_RT_VISIBLE_CORES and NEURON_RT_NUM_CORES")]
    NoCore,
    /// The process had a runtime.
    #[error("the Neuron runtime of this process was closed and starts only once; start a new process")]
    Closed,
}

/// Version of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `major.minor.patch.maintenance`.
    pub number: String,
    /// What else it says.
    pub detail: String,
    /// Commit it was built from.
    pub git_hash: String,
}

impl Version {
    /// Whether the library says that it is a test double.
    pub fn is_fake(&self) -> bool {
        self.detail.contains(FAKE)
    }
}

/// An initialised library; closed on drop.
pub struct Runtime {
    pub(super) library: Library,
    path: String,
    version: Version,
    visible_cores: u32,
    instance: Option<InstanceInfo>,
    capture: Mutex<Capture>,
}

/// The one runtime that a process may have.
enum Slot {
    Untouched,
    Started(Weak<Runtime>),
    Failed(Missing),
}

static SLOT: Mutex<Slot> = Mutex::new(Slot::Untouched);

impl Runtime {
    /// The runtime of this process: started by the first caller, closed when the last holder lets go.
    ///
    /// # Errors
    /// What is missing; the same for every later caller, as a start is tried once.
    pub fn shared() -> Result<Arc<Runtime>, Missing> {
        let mut slot = SLOT.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Slot::Started(runtime) => runtime.upgrade().ok_or(Missing::Closed),
            Slot::Failed(missing) => Err(missing.clone()),
            Slot::Untouched => {
                let started = Runtime::start().map(Arc::new);
                *slot = match &started {
                    Ok(runtime) => Slot::Started(Arc::downgrade(runtime)),
                    Err(missing) => Slot::Failed(missing.clone()),
                };
                started
            }
        }
    }

    fn start() -> Result<Runtime, Missing> {
        let (path, library) = find()?;
        let raw = library.version().map_err(|error| Missing::Init { error })?;
        let version = Version {
            number: format!("{}.{}.{}.{}", raw.major, raw.minor, raw.patch, raw.maintenance),
            detail: abi::text(&raw.detail),
            git_hash: abi::text(&raw.git_hash),
        };
        if !version.is_fake() && !Path::new(DRIVER).exists() {
            return Err(Missing::Driver { library: path });
        }
        // The process need not be asked twice: where no core is visible the start would fail with less to say.
        let visible_cores = library.visible_cores().map_err(|error| Missing::Init { error })?;
        if visible_cores == 0 {
            return Err(Missing::NoCore);
        }
        let (framework, adapter) = (c"farthing", c"");
        // SAFETY: both texts end with a zero and live through the call; the slot's lock makes this the only start.
        let status = unsafe { (library.functions.nrt_init)(NO_FRAMEWORK, framework.as_ptr(), adapter.as_ptr()) };
        done("nrt_init", status).map_err(|error| Missing::Init { error })?;
        let instance = library.instance().ok();
        let capture = Mutex::new(Capture::Untouched);
        Ok(Runtime { library, path, version, visible_cores, instance, capture })
    }

    /// Where the library was found.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Version of the library.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Logical cores that this process may use.
    pub fn visible_cores(&self) -> u32 {
        self.visible_cores
    }

    /// What the library takes the machine for; none where it does not say.
    pub fn instance(&self) -> Option<&InstanceInfo> {
        self.instance.as_ref()
    }

    /// The device's clock, for one caller at a time.
    pub fn device_clock(&self) -> DeviceClock<'_> {
        DeviceClock { runtime: self, capture: self.capture.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

fn find() -> Result<(String, Library), Missing> {
    let named = std::env::var(VARIABLE).ok().filter(|path| !path.is_empty());
    let places: Vec<String> = match named {
        Some(path) => vec![path],
        None => NAMES.map(str::to_owned).to_vec(),
    };
    let mut looked = Vec::new();
    for path in places {
        match Library::open(&path) {
            Ok(library) => return Ok((path, library)),
            Err(why) => looked.push(why),
        }
    }
    Err(Missing::Library { looked: looked.join("; ") })
}

impl Drop for Runtime {
    fn drop(&mut self) {
        trace::stop(self, &mut self.capture.lock().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: the runtime was initialised, and every model, tensor and set holds it: none is left.
        unsafe { (self.library.functions.nrt_close)() }
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "libnrt {} at {}", self.version.number, self.path)
    }
}

//! Adapters, an opened device, and its errors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::wgsl::{Caps, Fragment, Manner};
use crate::backend::{DeviceError, DeviceInfo, Fidelity, Limits};

/// A GPU of this machine, as one of its drivers shows it.
#[derive(Clone, Debug)]
pub struct Adapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

impl Adapter {
    /// Name of the device.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Whether it is a driver that runs on the CPU.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// The adapters of this machine, each device once: where several interfaces offer it, Vulkan's.
    pub fn all() -> Vec<Adapter> {
        let descriptor = wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        };
        let instance = wgpu::Instance::new(descriptor);
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
        let mut adapters: Vec<Adapter> =
            found.into_iter().map(|adapter| Adapter { info: adapter.get_info(), adapter }).collect();
        adapters.sort_by_key(|adapter| adapter.info.backend != wgpu::Backend::Vulkan);
        let mut kept: Vec<Adapter> = Vec::new();
        for adapter in adapters {
            let same = |other: &Adapter| {
                let (a, b) = (&adapter.info, &other.info);
                a.backend != b.backend && (a.vendor, a.device) == (b.vendor, b.device)
            };
            if !kept.iter().any(same) {
                kept.push(adapter);
            }
        }
        kept
    }
}

/// An opened device with all that its users share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) info: DeviceInfo,
    pub(super) limits: Limits,
    pub(super) caps: Caps,
    /// Size of a subgroup, where there is one size and shaders may use it.
    pub(super) lanes: Option<u32>,
    /// Products of matrices that subgroups compute.
    pub(super) fragment: Option<Fragment>,
    pub(super) timestamps: bool,
    max_buffer_bytes: u64,
    faults: Arc<Faults>,
}

/// What the driver said outside of any call that could have returned it.
#[derive(Debug, Default)]
struct Faults {
    lost: Mutex<Option<String>>,
    uncaptured: Mutex<Vec<String>>,
}

impl Context {
    /// Opens a device with all its limits and the features that shaders use.
    ///
    /// # Errors
    /// The driver refused.
    pub(super) fn open(adapter: &Adapter) -> Result<Context, DeviceError> {
        let matrices = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
        let mut wanted = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SUBGROUP;
        let fragment = fragment(&adapter.adapter, &adapter.info);
        if fragment.is_some() {
            wanted |= matrices;
        }
        let features = adapter.adapter.features() & wanted;
        let limits = adapter.adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("farthing"),
            required_features: features,
            required_limits: limits.clone(),
            experimental_features: super::launch::experimental(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.adapter.request_device(&descriptor))
            .map_err(|e| DeviceError::Driver(format!("{}: {e}", adapter.info.name)))?;
        let faults = Arc::new(Faults::default());
        let (lost, uncaptured) = (Arc::clone(&faults), Arc::clone(&faults));
        device.set_device_lost_callback(move |reason, message| {
            *unpoisoned(&lost.lost) = Some(format!("{reason:?}: {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            unpoisoned(&uncaptured.uncaptured).push(error.to_string());
        }));
        let lanes = lanes(&adapter.info, features);
        Ok(Context {
            info: device_info(&adapter.info, features),
            limits: precision(&limits),
            caps: caps(&limits, &adapter.info, features, fragment),
            lanes,
            fragment,
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            max_buffer_bytes: limits.max_buffer_size,
            device,
            queue,
            faults,
        })
    }

    /// Whether it is a driver that runs on the CPU.
    pub(super) fn is_software(&self) -> bool {
        self.info.fidelity == Fidelity::Software
    }

    /// Calls the driver and returns what it said, `asked_bytes` being what the call may have had no room for.
    ///
    /// # Errors
    /// The driver refused, ran out of memory, or is gone.
    pub(super) fn checked<T>(&self, asked_bytes: u64, call: impl FnOnce() -> T) -> Result<T, DeviceError> {
        let scopes = [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation]
            .map(|filter| self.device.push_error_scope(filter));
        let value = call();
        let mut first = None;
        for scope in scopes.into_iter().rev() {
            first = pollster::block_on(scope.pop()).or(first);
        }
        match first {
            None => self.alive().map(|()| value),
            Some(wgpu::Error::OutOfMemory { .. }) => Err(self.no_room(asked_bytes)),
            Some(error) => Err(DeviceError::Driver(error.to_string())),
        }
    }

    /// Whether the device still runs and said nothing untoward.
    ///
    /// # Errors
    /// It is lost, or reported an error that no call returned.
    pub(super) fn alive(&self) -> Result<(), DeviceError> {
        if let Some(why) = &*unpoisoned(&self.faults.lost) {
            return Err(DeviceError::Lost(why.clone()));
        }
        let said = std::mem::take(&mut *unpoisoned(&self.faults.uncaptured));
        if said.is_empty() { Ok(()) } else { Err(DeviceError::Driver(said.join("; "))) }
    }

    /// Blocks until all submitted work is done.
    ///
    /// # Errors
    /// The device is lost.
    pub(super) fn wait(&self) -> Result<(), DeviceError> {
        let done = self.device.poll(wgpu::PollType::wait_indefinitely());
        done.map_err(|e| DeviceError::Driver(e.to_string()))?;
        self.alive()
    }

    /// A buffer of at least `bytes` bytes.
    ///
    /// # Errors
    /// Larger than the device allows, or no room.
    pub(super) fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, DeviceError> {
        // Shaders see vectors of 16 bytes.
        let size = bytes.max(1).next_multiple_of(16);
        if size > self.max_buffer_bytes {
            return Err(self.no_room(bytes));
        }
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        self.checked(bytes, || self.device.create_buffer(&descriptor))
    }

    fn no_room(&self, asked_bytes: u64) -> DeviceError {
        DeviceError::OutOfMemory { asked_bytes, device: self.info.device.clone() }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Size of a subgroup that a workgroup can be made of.
fn lanes(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Option<u32> {
    let (low, high) = (info.subgroup_min_size, info.subgroup_max_size);
    let usable = features.contains(wgpu::Features::SUBGROUP) && low == high && low.is_power_of_two() && low >= 4;
    usable.then_some(low)
}

/// Neighbouring threads that surely are of one subgroup. The languages below number the threads of a subgroup in order
/// of their index in the workgroup; WGSL leaves it open, drivers do not.
fn shuffle(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Option<u32> {
    let least = info.subgroup_min_size;
    (features.contains(wgpu::Features::SUBGROUP) && least.is_power_of_two() && least >= 4).then_some(least)
}

/// The square products of f16 added to f32 that the device lists, the largest first.
fn fragment(adapter: &wgpu::Adapter, info: &wgpu::AdapterInfo) -> Option<Fragment> {
    let wanted = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
    let lanes = lanes(info, adapter.features())?;
    let listed = adapter.cooperative_matrix_properties();
    let square = |edge: u32| {
        listed.iter().any(|p| {
            (p.m_size, p.n_size, p.k_size) == (edge, edge, edge)
                && p.ab_type == wgpu::CooperativeScalarType::F16
                && p.cr_type == wgpu::CooperativeScalarType::F32
        })
    };
    let edge = [16, 8].into_iter().find(|&edge| square(edge))?;
    adapter.features().contains(wanted).then_some(Fragment { edge, lanes })
}

fn caps(limits: &wgpu::Limits, info: &wgpu::AdapterInfo, features: wgpu::Features, fragment: Option<Fragment>) -> Caps {
    let manner = match (info.device_type == wgpu::DeviceType::Cpu, lanes(info, features)) {
        (true, Some(lanes)) => Manner::Lanes(lanes),
        (true, None) => Manner::Direct,
        (false, _) => Manner::Staged,
    };
    Caps {
        manner,
        shuffle: shuffle(info, features),
        fragment,
        max_threads: limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x),
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        max_groups: limits.max_compute_workgroups_per_dimension,
        max_bindings: limits.max_storage_buffers_per_shader_stage,
        max_binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
    }
}

/// Bounds that the shading language gives (WGSL, W3C, "Accuracy of Concrete Floating Point Expressions"), as relative
/// errors; an ulp is at most 2^-23 of its number.
fn precision(limits: &wgpu::Limits) -> Limits {
    Limits {
        max_buffer_bytes: Some(limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)),
        // 3 + 2·|x| ulp; results are normal for |x| < 128.
        exp2_error: (3.0 + 2.0 * 128.0) / f64::from(1 << 23),
        // Division has 2.5 ulp and inverseSqrt 2. The shader's own log2 and tanh (`wgsl/helpers.rs`) cost a division
        // of sums that exp2's error enters, at most 2^-20, or log2's own 2^-21 of a result above 0.58; twice the
        // largest covers the roundings between.
        function_error: 1.0 / f64::from(1 << 19),
    }
}

fn device_info(info: &wgpu::AdapterInfo, features: wgpu::Features) -> DeviceInfo {
    let subgroups = match (info.subgroup_min_size, info.subgroup_max_size) {
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}..={high}"),
    };
    let details = [
        ("api", info.backend.to_string()),
        ("driver", info.driver.clone()),
        ("driver_info", info.driver_info.clone()),
        ("subgroup_size", subgroups),
        ("features", features.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join(" ")),
        ("wgpu", "30".to_owned()),
    ];
    DeviceInfo {
        backend: "gpu".into(),
        device: info.name.clone(),
        fidelity: if info.device_type == wgpu::DeviceType::Cpu { Fidelity::Software } else { Fidelity::Hardware },
        threads: None,
        details: BTreeMap::from(details.map(|(key, value)| (key.to_owned(), value))),
    }
}

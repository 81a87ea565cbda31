//! A page in a browser: opened, asked for values, and everything that went wrong in it.

use anyhow::{Context, anyhow};
use headless_chrome::protocol::cdp::Emulation::{MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia};
use headless_chrome::protocol::cdp::Page::{
    AddScriptToEvaluateOnNewDocument, CaptureScreenshotFormatOption, HandleJavaScriptDialog, Navigate, Reload,
};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Network, Runtime};
use headless_chrome::{Browser, LaunchOptions, Tab as Handle};
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a page may take: a slow machine, never a slow page.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(30);

/// Notes breaches of the policy before any text of the page runs.
const LISTEN: &str = "globalThis.__violations = []; document.addEventListener('securitypolicyviolation', \
     (event) => globalThis.__violations.push(`${event.violatedDirective}: ${event.blockedURI}`));";

/// A browser without a window.
pub(crate) struct Chromium(Browser);

impl Chromium {
    /// Starts it. As root its sandbox cannot start; it opens our own pages alone.
    pub(crate) fn start(path: &Path) -> anyhow::Result<Chromium> {
        let options = LaunchOptions {
            path: Some(path.into()),
            sandbox: false,
            window_size: Some((1440, 900)),
            idle_browser_timeout: PATIENCE * 10,
            args: vec![OsStr::new("--disable-dev-shm-usage"), OsStr::new("--hide-scrollbars")],
            ..LaunchOptions::default()
        };
        let browser = Browser::new(options).with_context(|| format!("cannot start {}", path.display()))?;
        Ok(Chromium(browser))
    }

    /// Opens an address, and waits until it is there as a whole.
    pub(crate) fn open(&self, address: &str) -> anyhow::Result<Tab> {
        let handle = self.0.new_tab().context("no new tab")?;
        handle.set_default_timeout(PATIENCE);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (notes, tab) = (Arc::clone(&seen), Arc::downgrade(&handle));
        handle.add_event_listener(Arc::new(move |event: &Event| {
            let is_dialog = matches!(event, Event::PageJavascriptDialogOpening(_));
            notes.lock().unwrap_or_else(PoisonError::into_inner).note(event);
            // Nobody would answer, and the page would wait; from another thread, since this one reads the answers.
            if let Some(tab) = tab.upgrade().filter(|_| is_dialog) {
                std::thread::spawn(move || {
                    tab.call_method(HandleJavaScriptDialog { accept: false, prompt_text: None })
                });
            }
        }))?;
        handle.enable_runtime()?.enable_log()?;
        handle.call_method(Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        })?;
        handle.call_method(AddScriptToEvaluateOnNewDocument {
            source: LISTEN.into(),
            world_name: None,
            include_command_line_api: None,
            run_immediately: None,
        })?;
        let tab = Tab { handle, seen };
        tab.go(address)?;
        Ok(tab)
    }
}

/// An open page.
pub(crate) struct Tab {
    handle: Arc<Handle>,
    seen: Arc<Mutex<Seen>>,
}

/// What a page did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Errors of the console, exceptions and dialogs.
    pub(crate) errors: Vec<String>,
    /// Addresses that it asked for.
    pub(crate) requests: Vec<String>,
}

impl Seen {
    fn note(&mut self, event: &Event) {
        match event {
            Event::RuntimeExceptionThrown(event) => {
                let details = &event.params.exception_details;
                let thrown = details.exception.as_ref().and_then(|thrown| thrown.description.clone());
                self.errors.push(format!("exception: {}", thrown.unwrap_or_else(|| details.text.clone())));
            }
            Event::RuntimeConsoleAPICalled(event) => {
                let text = event.params.args.iter().filter_map(|arg| arg.value.as_ref()).map(ToString::to_string);
                self.errors.push(format!("console {:?}: {}", event.params.Type, text.collect::<Vec<_>>().join(" ")));
            }
            Event::LogEntryAdded(event) => {
                let entry = &event.params.entry;
                self.errors.push(format!("{:?} {:?}: {}", entry.source, entry.level, entry.text));
            }
            Event::PageJavascriptDialogOpening(event) => self.errors.push(format!("dialog: {}", event.params.message)),
            Event::NetworkRequestWillBeSent(event) => self.requests.push(event.params.request.url.clone()),
            _ => {}
        }
    }
}

impl Tab {
    fn go(&self, address: &str) -> anyhow::Result<()> {
        let gone = self.handle.call_method(Navigate {
            url: address.into(),
            referrer: None,
            transition_Type: None,
            frame_id: None,
            referrer_policy: None,
        })?;
        if let Some(why) = gone.error_text {
            anyhow::bail!("{address} does not open: {why}");
        }
        // A new tab is about:blank, which is complete as well.
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'", "the page to load")
    }

    /// Loads the page again.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        self.ask::<bool>("globalThis.__old = true")?;
        self.handle.call_method(Reload {
            ignore_cache: Some(true),
            script_to_evaluate_on_load: None,
            loader_id: None,
        })?;
        self.wait("globalThis.__old !== true && document.readyState === 'complete'", "the page to load again")
    }

    /// The value of an expression, of a promise once it is kept.
    pub(crate) fn ask<T: DeserializeOwned>(&self, expression: &str) -> anyhow::Result<T> {
        let answer = self.handle.call_method(Runtime::Evaluate {
            expression: expression.into(),
            return_by_value: Some(true),
            await_promise: Some(true),
            object_group: None,
            include_command_line_api: None,
            silent: None,
            context_id: None,
            generate_preview: None,
            user_gesture: None,
            throw_on_side_effect: None,
            timeout: None,
            disable_breaks: None,
            repl_mode: None,
            allow_unsafe_eval_blocked_by_csp: None,
            unique_context_id: None,
            serialization_options: None,
        })?;
        if let Some(details) = answer.exception_details {
            let thrown = details.exception.and_then(|thrown| thrown.description).unwrap_or(details.text);
            return Err(anyhow!("the page threw {thrown}"));
        }
        let value = answer.result.value.unwrap_or(serde_json::Value::Null);
        let what = value.to_string();
        serde_json::from_value(value).with_context(|| format!("{what} is not what was asked for"))
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&self, expression: &str, what: &str) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            // While one page goes and another comes, nothing can be asked.
            if self.ask::<bool>(expression).unwrap_or(false) {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < end, "waited {} s for {what}", PATIENCE.as_secs());
            std::thread::sleep(PAUSE);
        }
    }

    /// A viewport of another width.
    pub(crate) fn widen(&self, width: u32) -> anyhow::Result<()> {
        self.handle.call_method(SetDeviceMetricsOverride {
            width,
            height: 900,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        })?;
        self.wait(&format!("innerWidth === {width}"), "the viewport")
    }

    /// `light` or `dark`, as the system would prefer it.
    pub(crate) fn prefer(&self, scheme: &str) -> anyhow::Result<()> {
        let feature = MediaFeature { name: "prefers-color-scheme".into(), value: scheme.into() };
        self.handle.call_method(SetEmulatedMedia { media: None, features: Some(vec![feature]) })?;
        self.wait(&format!("matchMedia('(prefers-color-scheme: {scheme})').matches"), "the colour scheme")
    }

    /// What is seen, as a PNG file.
    pub(crate) fn shoot(&self, path: &Path) -> anyhow::Result<()> {
        let png = self.handle.capture_screenshot(CaptureScreenshotFormatOption::Png, None, None, true)?;
        std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the page did so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Breaches of its policy so far.
    pub(crate) fn violations(&self) -> anyhow::Result<Vec<String>> {
        self.ask("globalThis.__violations")
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // A tab that cannot be closed ends with the browser.
        let _ = self.handle.close_target();
    }
}

use super::*;

fn event(phase: &str, tracking: u64, at_ns: u64, exec: Option<u64>) -> String {
    let exec = exec.map_or(String::new(), |exec| format!(",\"exec_id\":{exec}"));
    format!(
        "{{\"event_type\":\"nc_exec_running\",\"phase\":\"{phase}\",\"tracking_id\":{tracking},\
         \"data\":{{\"nc_timestamp_ns\":{at_ns}{exec}}}}}"
    )
}

fn trace(events: &[String]) -> String {
    let other = "{\"event_type\":\"kbl_exec_wait\",\"phase\":\"start\",\"tracking_id\":7,\"data\":{}}";
    format!("{{\"events\":[{other},{}],\"data_version\":2}}", events.join(","))
}

#[test]
fn launches_add_up_and_other_events_do_not_count() {
    let events = [event("start", 1, 100, None), event("stop", 1, 350, None), event("start", 2, 400, None)];
    let whole = [&events[..], &[event("stop", 2, 1400, None)]].concat();
    let seconds = launch_seconds(&trace(&whole), 2).expect("two launches");
    assert!((seconds - 1250e-9).abs() < 1e-15);
    assert_eq!(launch_seconds(&trace(&events), 2), Err(TraceError::Count { found: 1, open: 1, made: 2 }));
    assert_eq!(launch_seconds(&trace(&whole), 3), Err(TraceError::Count { found: 2, open: 0, made: 3 }));
}

/// Two physical cores whose clocks have other origins: one launch, as long as the slower one's own time.
#[test]
fn the_slowest_core_of_a_logical_one_is_its_launch() {
    let events = [
        event("start", 1, 1_000, Some(9)),
        event("start", 2, 900_000, Some(9)),
        event("stop", 1, 1_400, Some(9)),
        event("stop", 2, 900_700, Some(9)),
    ];
    let seconds = launch_seconds(&trace(&events), 1).expect("one launch");
    assert!((seconds - 700e-9).abs() < 1e-15);
}

#[test]
fn what_is_no_trace_gives_no_time() {
    assert!(matches!(launch_seconds("", 1), Err(TraceError::Malformed(_))));
    assert!(matches!(launch_seconds("{}", 1), Err(TraceError::Malformed(_))));
    let timeless = "{\"events\":[{\"event_type\":\"nc_exec_running\",\"phase\":\"start\",\"tracking_id\":1}]}";
    assert!(matches!(launch_seconds(timeless, 1), Err(TraceError::Malformed(_))));
    let backwards = trace(&[event("start", 1, 500, None), event("stop", 1, 200, None)]);
    assert_eq!(launch_seconds(&backwards, 1), Err(TraceError::Backwards(300)));
}

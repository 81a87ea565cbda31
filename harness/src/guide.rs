#![doc = include_str!("../docs/add-a-backend.md")]

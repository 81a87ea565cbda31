//! NKI source: golden texts, how many programs lower, and what the text computes.
//!
//! Nothing here runs on Trainium hardware or in AWS's simulator. The semantics are those of a test double of NKI in
//! NumPy (`double.py`), which enforces the rules of the instructions that the text uses.

mod golden;

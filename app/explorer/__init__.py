"""What the page shows of projects, traces and spans: bounded values, with the caller's rights."""

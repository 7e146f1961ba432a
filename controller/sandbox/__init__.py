"""A simulated AWS organization: for the demo, the tests, and for rehearsing a change."""

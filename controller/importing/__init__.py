"""From a living organization to the YAML that describes it: one file for each kind of document, and how YAML is written."""

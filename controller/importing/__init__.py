"""From a living organization to the YAML that describes it: a module for each kind of document, one that writes."""

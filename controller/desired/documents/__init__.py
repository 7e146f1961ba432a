"""The YAML format, one pydantic model per document kind."""

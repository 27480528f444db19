"""Files without meaning: PNG, volumes, YAML."""

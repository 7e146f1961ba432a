"""What the daemon serves: status page, health, metrics, API."""

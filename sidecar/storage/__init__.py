"""Where bytes live: folders, zips and object stores, files there whole or not at all, leases."""

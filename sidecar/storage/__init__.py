"""Where bytes live: folders and object stores, files that are there whole or not at all, leases."""

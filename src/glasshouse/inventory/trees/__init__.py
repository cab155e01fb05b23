"""Trees of files to read from: a folder, a root file system, or a container image that is never unpacked to disk."""

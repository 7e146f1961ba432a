"""The repository: a bare mirror fetched with the git CLI, commits read from the object store.

There never is a work tree, so no symlink, submodule, hook or filter of the repository can lead anywhere. git runs
with fixed arguments, no shell, an environment of our own, and is killed when the process is asked to stop.
"""

"""One file a scenario; each has `figure(quick)`."""

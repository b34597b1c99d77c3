"""The commands about a deployment: s.yaml is judged, the account set up; deploy, remove, show the log."""

"""Speed, measured as ratios within one process and run."""

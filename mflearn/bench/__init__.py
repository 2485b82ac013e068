"""What `mflearn bench` measures: both sides in turns, in one run, told as ratios. One contest a file."""

"""What bin/bench measures: each main page, and beside it the floor, in one run."""

"""Speed, measured: `make bench` prints ratios to named peers of one run; `make bench RECORD=1` writes them down."""

"""The blocks of ATFT-GAT-FAN, and its training."""

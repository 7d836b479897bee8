"""Random system calls in the manner of trinity and syzkaller: `steps` are numbers, each the seed of one step."""

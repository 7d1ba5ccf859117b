"""The subcommands, one file each: parse, call, write."""

"""Certificate Transparency, the part that reads files and asks the network: lists of logs, logs, search services."""

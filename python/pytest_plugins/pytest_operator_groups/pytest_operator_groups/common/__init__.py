"""What every wing uses: errors, text, tables, GitHub's files, and arguments of commands."""

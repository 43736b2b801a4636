"""What every wing uses: errors, and digests of files."""

"""What every wing uses: errors, the workflows' inputs, GitHub, and the caller's test command."""

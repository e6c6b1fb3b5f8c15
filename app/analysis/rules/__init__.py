"""One module for each family of findings; each rule takes the analysis and yields findings."""

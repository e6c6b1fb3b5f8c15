"""One module for each family of findings; each rule takes the scene and yields findings."""

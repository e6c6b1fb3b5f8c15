"""What tests, soak and bench share: databases, processes, fakes at the HTTP border, audits."""

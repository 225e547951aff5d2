"""TemplateDistribution: which Macs pull or remove a template, and how far they are."""

"""From the models to the CustomResourceDefinitions that the apiserver takes."""

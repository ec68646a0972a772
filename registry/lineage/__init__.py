"""Where a model came from, as SageMaker's lineage says it: the graph, what it proves, how it is drawn. Pure."""

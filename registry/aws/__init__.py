"""Talk to AWS for the registry: the gateway, free of Django, and the only place that imports boto3.

Errors come out as `registry.aws.errors`, answers as the frozen records of `registry.aws.records`;
nothing of botocore's leaves this package.
"""

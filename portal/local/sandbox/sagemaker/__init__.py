"""Extend moto's SageMaker by a model registry that keeps what AWS keeps."""

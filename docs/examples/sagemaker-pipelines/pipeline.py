"""A SageMaker pipeline that deploys a model version once the governance gate allows it.

    python pipeline.py NAME ROLE_ARN ASK_GATE_LAMBDA_ARN DEPLOY_LAMBDA_ARN

makes the pipeline, or changes it. It is written in the definition language of SageMaker Pipelines (2020-12-01), so it
needs nothing but boto3; with the SageMaker SDK the same are a LambdaStep, a ConditionStep and a FailStep. The Lambda
that asks is ask_gate.py; the one that deploys is yours, and is given the question and where the signed answer lies.
"""

import json
import sys

import boto3

QUESTION = {"model_package_arn": "ModelPackageArn", "stage": "Stage", "account": "Account"}


def definition(ask_gate_arn, deploy_arn):
    """Return the pipeline: ask the gate, then deploy if it allows, and else fail with every rule that failed."""

    def parameter(name):
        return {"Get": f"Parameters.{name}"}

    def answer(name):
        return {"Get": f"Steps.AskGate.OutputParameters['{name}']"}

    ask = {
        "Name": "AskGate",
        "Type": "Lambda",
        "FunctionArn": ask_gate_arn,
        "Arguments": {name: parameter(given) for name, given in QUESTION.items()},
        "OutputParameters": [
            {"OutputName": name, "OutputType": "String"} for name in ("decision", "reasons", "attestation")
        ],
    }
    deploy = {
        "Name": "Deploy",
        "Type": "Lambda",
        "FunctionArn": deploy_arn,
        "Arguments": {
            **{name: parameter(given) for name, given in QUESTION.items()},
            "attestation": answer("attestation"),
        },
        "OutputParameters": [],
    }
    denied = {
        "Name": "Denied",
        "Type": "Fail",
        "Arguments": {"ErrorMessage": {"Std:Join": {"On": "\n", "Values": ["The gate denies.", answer("reasons")]}}},
    }
    # Equal to allow, not different from deny: whatever else there may ever be does not deploy.
    allowed = {"Type": "Equals", "LeftValue": answer("decision"), "RightValue": "allow"}
    condition = {
        "Name": "OnlyIfAllowed",
        "Type": "Condition",
        "Arguments": {"Conditions": [allowed], "IfSteps": [deploy], "ElseSteps": [denied]},
    }
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": name, "Type": "String"} for name in QUESTION.values()],
        "Steps": [ask, condition],
    }


def put(name, role_arn, described):
    """Make the pipeline, or change the one of that name; return its ARN."""
    client = boto3.client("sagemaker")
    given = {"PipelineName": name, "RoleArn": role_arn, "PipelineDefinition": json.dumps(described)}
    try:
        return client.update_pipeline(**given)["PipelineArn"]
    except client.exceptions.ResourceNotFound:
        return client.create_pipeline(**given)["PipelineArn"]


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    print(put(sys.argv[1], sys.argv[2], definition(*sys.argv[3:])))

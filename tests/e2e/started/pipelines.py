"""Small runners for the examples of docs/examples: what GitHub Actions, CodeBuild and SageMaker Pipelines do with them.

They run the scripts and functions of the examples as they stand, in the order and under the conditions of those services;
what is theirs alone (actions, images, roles) is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
# Packages come from this environment: an installation would change it, and need an index.
INSTALLS = "python -m pip install"
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")


@dataclass
class Run:
    """What one run of a pipeline did: the scripts that were run, what they printed, and whether all of them passed."""

    folder: Path
    env: Mapping[str, str]
    scripts: list[str] = field(default_factory=list)
    printed: str = ""
    passed: bool = True

    def script(self, text: str, env: Mapping[str, str]) -> bool:
        """Run one script in bash as GitHub and CodeBuild do, and say whether it ended with 0."""
        if text.startswith(INSTALLS):
            return True
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=self.folder,
            env={"PATH": path, "HOME": str(self.folder), **self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.scripts.append(text)
        self.printed += done.stdout
        return done.returncode == 0


def github(file: Path, run: Run, values: Mapping[str, str]) -> Run:
    """Run a workflow's jobs in the order of `needs`; `values` are its inputs, variables and secrets.

    A step that fails skips the rest of its job but for `if: always()`, and every job that needs it. Steps that use an
    action are left out: the folder all jobs share stands for checkout and artifacts.
    """
    workflow = yaml.safe_load(file.read_text())
    passed: dict[str, bool] = {}
    for name, job in workflow["jobs"].items():
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        if not all(passed[needed] for needed in needs):
            passed[name] = False
            continue
        passed[name] = True
        for step in job["steps"]:
            if "run" not in step or not (passed[name] or step.get("if") == "always()"):
                continue
            assert not EXPRESSION.search(step["run"]), "an expression would be part of the script"
            env = {**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
            filled = {key: EXPRESSION.sub(lambda found: values[found[1]], value) for key, value in env.items()}
            passed[name] &= run.script(step["run"], filled)
    run.passed = all(passed.values())
    return run


def codebuild(file: Path, run: Run, env: Mapping[str, str]) -> Run:
    """Run a buildspec's phases: a phase that fails runs its `finally`, and ends the build where it says ABORT."""
    phases = yaml.safe_load(file.read_text())["phases"]
    for name in ("install", "pre_build", "build", "post_build"):
        phase = phases.get(name, {})
        passed = all(run.script(command, env) for command in phase.get("commands", []))
        for command in phase.get("finally", []):
            passed &= run.script(command, env)
        run.passed &= passed
        if not passed and phase["on-failure"] == "ABORT":
            break
    return run


class StepFailed(Exception):
    """A step of a SageMaker pipeline failed, and the pipeline with it."""


def sagemaker(
    definition: dict[str, Any], functions: Mapping[str, Callable[[Any, None], Any]], parameters: Mapping[str, str]
) -> list[str]:
    """Run a pipeline of Lambda, Condition and Fail steps; return the names of the steps that ran.

    Raises StepFailed with the words of a Fail step, or of a function that raised.
    """
    assert {each["Name"] for each in definition["Parameters"]} == parameters.keys()
    known: dict[str, Any] = {f"Parameters.{name}": value for name, value in parameters.items()}
    ran: list[str] = []

    def value(given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if "Get" in given:
            return known[given["Get"]]
        joined = given["Std:Join"]
        return joined["On"].join(value(each) for each in joined["Values"])

    def steps(listed: list[dict[str, Any]]) -> None:
        for step in listed:
            ran.append(step["Name"])
            arguments = step["Arguments"]
            if step["Type"] == "Fail":
                raise StepFailed(value(arguments["ErrorMessage"]))
            if step["Type"] == "Condition":
                holds = all(value(each["LeftValue"]) == value(each["RightValue"]) for each in arguments["Conditions"])
                assert {each["Type"] for each in arguments["Conditions"]} == {"Equals"}
                steps(arguments["IfSteps"] if holds else arguments["ElseSteps"])
                continue
            assert step["Type"] == "Lambda"
            try:
                answer = functions[step["FunctionArn"]]({name: value(each) for name, each in arguments.items()}, None)
            except Exception as error:
                raise StepFailed(f"{step['Name']}: {error}") from error
            for output in step["OutputParameters"]:
                assert isinstance(answer[output["OutputName"]], str)
                known[f"Steps.{step['Name']}.OutputParameters['{output['OutputName']}']"] = answer[output["OutputName"]]

    steps(definition["Steps"])
    return ran


def executable(path: Path, text: str) -> None:
    """Write a script that a pipeline calls."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.chmod(path, 0o755)  # noqa: PTH101 - as the shell says it

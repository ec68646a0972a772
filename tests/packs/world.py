"""A use case with a life: documents, evidence, approvals, a rejection, a break-glass, a delegation and hostile words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from governance.choices import PackScope, Verdict
from governance.models import AuditPack, Evidence
from governance.selectors.pack_scope import Wanted
from governance.services import approvals, evidence
from governance.services.audit_pack import building, packs
from portal.core.vocabulary import EvidenceKind, Role, Stage
from registry.models import (
    Endpoint,
    EndpointVariant,
    ModelVersion,
    MonitoringSchedule,
    Project,
    UseCase,
    User,
    VersionReport,
)
from registry.reports.document import ReportProblem
from registry.reports.kinds import ReportKind
from tests.evidence import files
from tests.factories import Cast, at_stage, cast, group, person, project, use_case, version
from tests.factories.walk import all_accounts, documented

# What must stay what it is: code of the typesetter, a formula, marks that turn writing around, letters no font has.
HOSTILE = '=HYPERLINK("x") #panic("out") $ x $ *bold* @cite <b>\u202egpj.exe\u202c 中文 ' + "long" * 60


@dataclass
class Story:
    """Who and what there is."""

    people: Cast
    auditor: User
    project: Project
    subject: UseCase
    model: ModelVersion
    files: list[Evidence]


def story() -> Story:
    """Walk a use case and a version of it through real services."""
    here, there = project(), project()
    all_accounts()
    people = cast(here, there)
    subject = use_case(people, here, name="Credit scoring")
    documented(people, subject)
    model = version(group(here, people, subject, name="credit-risk"))
    given = [
        evidence.attach_upload(
            actor=people.scientist.actor,
            subject_type=type(about),
            subject_id=about.pk,
            kind=EvidenceKind.BIAS_REPORT,
            file=SimpleUploadedFile(name, content, kind),
            title=title,
            note=HOSTILE,
        )
        for about, name, content, kind, title in (
            (subject, "report.pdf", files.PDF, "application/pdf", "Bias report"),
            (model, "=cmd.csv", files.CSV, "text/csv", "=cmd()"),
        )
    ]
    at_stage(people, model, Stage.QA)
    asked = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=model.pk, note=HOSTILE)
    approvals.decide(
        actor=people.officer.actor,
        request_id=asked.pk,
        verdict=Verdict.REJECT,
        comment=HOSTILE,
        back_to=Stage.DEVELOPMENT,
    )
    # As syncs do: it is seen again, which alone is no entry of the trail, and then changed where it is seen once more.
    for seconds, changed in ((1, {}), (2, {"aws_modified_at": timezone.now()})):
        seen_at = timezone.now() + timedelta(seconds=seconds)
        ModelVersion.objects.filter(pk=model.pk).update(seen_at=seen_at, **changed)
    model.refresh_from_db()
    _read_of_aws(model)
    return Story(people, person(Role.AUDITOR), here, subject, model, given)


def _read_of_aws(model: ModelVersion) -> None:
    """What was read of AWS about a version: a report that is lost by now, and where it serves and is watched."""
    account, now = model.group.account, timezone.now()
    report = VersionReport.objects.create(
        version=model, kind=ReportKind.BIAS, address="s3://reports/=bias.json", content={"facets": 2}, etag="abc",
        content_etag="abc", sha256="a1" * 32, expected_sha256="a1" * 32, size=17, read_at=now, content_read_at=now,
    )  # fmt: skip
    report.problem, report.sentence, report.etag = ReportProblem.MISSING, "It is not there any more.", ""
    report.save()
    place = {"account": account, "region": model.group.region}
    for name in ("credit-live", "somebody-elses"):
        arn = f"arn:aws:sagemaker:us-east-1:111111111111:endpoint/{name}"
        endpoint = Endpoint.objects.create(**place, name=name, arn=arn, status="InService", read_at=now)
        MonitoringSchedule.objects.create(**place, name=f"{name}-inputs", endpoint=name.title(), read_at=now)
        if name == "credit-live":
            EndpointVariant.objects.create(endpoint=endpoint, name="v1", version=model)


def about(told: Story) -> Wanted:
    """Return a pack's scope: the use case."""
    return Wanted(PackScope.USE_CASE, use_case_id=told.subject.pk)


def lately(told: Story | None = None) -> Wanted:
    """Return a pack's scope: today, of the project or of the whole portal."""
    today = timezone.now().date()
    return Wanted(
        PackScope.PERIOD,
        project_id=told.project.pk if told else None,
        starts_on=today - timedelta(days=1),
        ends_on=today,
    )


def built(told: Story, wanted: Wanted) -> tuple[AuditPack, bytes]:
    """Ask for a pack and build it as the worker does; returns it with its archive."""
    pack = packs.request_pack(actor=told.auditor.actor, wanted=wanted)
    done = building.build(pack_id=pack.pk)
    assert done is not None
    done.refresh_from_db()
    assert done.state == "ready", done.problem
    _, file = packs.open_for_download(actor=told.auditor.actor, pack_id=done.pk)
    with file:
        return done, io.BytesIO(file.read()).getvalue()

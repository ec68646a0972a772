"""The admin console by hand: which tables it holds, what an ML admin may do to each, and who may enter at all."""

from __future__ import annotations

# Who is answered what, whatever the address: 302 leads to the sign-in page, and None stands for the table below.
ENTRANCE: dict[str, int | None] = {
    "anonymous": 302,
    "data_scientist": 404,
    "model_owner": 404,
    "ml_engineer": 404,
    "governance_officer": 404,
    "ml_admin": None,
    "auditor": 404,
    "stranger": 404,
}

VIEWS = ("changelist", "add", "change", "delete", "history")
# What an ML admin is answered to GET per view; 302 of the history leads to the audit trail.
SHOWN = (200, 403, 200, 403, 302)
EDITED = (200, 200, 200, 403, 302)
LINKED = (200, 200, 200, 200, 302)

MODELS: dict[str, tuple[int, ...]] = {
    "registry.accountpreflight": SHOWN,
    "registry.apitoken": SHOWN,
    "registry.awsaccount": EDITED,
    "registry.awsidentity": LINKED,
    "registry.classification": SHOWN,
    "registry.customattribute": LINKED,
    "registry.deployment": SHOWN,
    "registry.eventqueuehealth": SHOWN,
    "registry.lineofbusiness": EDITED,
    "registry.modelgroup": SHOWN,
    "registry.modelgroupgroupobjectpermission": SHOWN,
    "registry.modelgroupuserobjectpermission": SHOWN,
    "registry.modelversion": SHOWN,
    "registry.parkedevent": SHOWN,
    "registry.groupcreation": SHOWN,
    "registry.registration": SHOWN,
    "registry.project": EDITED,
    "registry.projectgroupobjectpermission": SHOWN,
    "registry.projectuserobjectpermission": SHOWN,
    "registry.publicnumber": SHOWN,
    "registry.resourceshare": SHOWN,
    "registry.declaredshare": SHOWN,
    "registry.rampermission": SHOWN,
    "registry.grouppolicy": SHOWN,
    "registry.shareprincipal": SHOWN,
    "registry.shareinvitation": SHOWN,
    "registry.syncrun": SHOWN,
    "registry.usecase": SHOWN,
    "registry.usecasedocument": SHOWN,
    "registry.usecasegroupobjectpermission": SHOWN,
    "registry.usecasereview": SHOWN,
    "registry.usecaseuserobjectpermission": SHOWN,
    "registry.user": EDITED,
    "registry.versionusecase": SHOWN,
    "governance.approvalrequest": SHOWN,
    "governance.auditanchor": SHOWN,
    "governance.auditcheck": SHOWN,
    "governance.auditevent": SHOWN,
    "governance.auditpack": SHOWN,
    "governance.auditpackdownload": SHOWN,
    "governance.decision": SHOWN,
    "governance.delegation": SHOWN,
    "governance.deploymentchannel": SHOWN,
    "governance.deploymentorder": SHOWN,
    "governance.waitingcallback": SHOWN,
    "governance.outsidechange": SHOWN,
    "governance.override": SHOWN,
    "governance.evidence": SHOWN,
    "governance.finding": SHOWN,
    "governance.lifecycleedge": SHOWN,
    "governance.metricreport": SHOWN,
    "governance.outboxmessage": SHOWN,
    "governance.policyrule": SHOWN,
    "governance.policyversion": SHOWN,
    "governance.signingkey": SHOWN,
    "governance.stageevent": SHOWN,
    "governance.stagerecord": SHOWN,
    "governance.usecasestagerecord": SHOWN,
}
# Models of the two apps that the console leaves out, each with the reason.
EXEMPT: dict[str, str] = {
    "registry.usecasedraft": "what somebody is still writing, shown to nobody but him",
    "governance.paststagerow": "an answer of the database as of a moment; the stage table's page asks for it",
    "governance.pastusecase": "as the rows of the stage table",
    "governance.pastversion": "as the rows of the stage table",
}

# Addresses beside those of the tables: what an ML admin is answered to GET, and to POST without a body.
PAGES: dict[str, tuple[int, int]] = {
    "index": (200, 200),
    "login": (302, 302),
    "logout": (405, 302),
    "jsi18n": (200, 405),
    "app_list": (200, 200),
    "registry_user_roles": (200, 200),
    "registry_user_password": (200, 200),
}

# A value per table that must not get in from here, as a form would send it.
FORBIDDEN_WRITES: dict[str, dict[str, str]] = {
    "registry.usecase": {"stage": "production", "status": "approved", "risk_class": "minimal"},
    "registry.classification": {"state": "confirmed", "confirmed_class": "minimal"},
    "registry.modelversion": {"stage": "production", "status": "approved", "risk_rating": "low"},
    "registry.deployment": {"state": "deployed", "mode": "live"},
    "governance.stagerecord": {"stage": "production", "status": "approved"},
    "governance.usecasestagerecord": {"status": "approved"},
    "governance.stageevent": {"status": "approved", "actor": "user:somebody"},
    "governance.approvalrequest": {"state": "approved", "requirements": "{}"},
    "governance.delegation": {"ends_on": "2099-12-31", "revoked_by": "x"},
    "governance.override": {"expires_at": "2099-12-31", "reason": "x"},
    "governance.decision": {"verdict": "approve", "comment": "changed"},
    "governance.deploymentchannel": {"url": "https://elsewhere.example.org/", "secret": "x", "is_enabled": "on"},
    "governance.waitingcallback": {"outcome": "released", "token": "x"},
    "governance.evidence": {"sha256": "0" * 64, "kind": "bias_report", "withdrawal_reason": "x"},
    "governance.policyversion": {"state": "draft", "note": "changed"},
    "governance.policyrule": {"approvals": "[]"},
    "governance.finding": {"state": "resolved"},
    "governance.outboxmessage": {"state": "delivered", "payload": "{}"},
    "governance.auditanchor": {"rows": "1", "digest": "0"},
    "governance.auditcheck": {"state": "sound", "problem": ""},
    "governance.auditpack": {"state": "ready", "sha256": "0" * 64, "is_sound": "on", "scope": "period"},
    "governance.auditpackdownload": {"person_name": "somebody else"},
    "governance.auditevent": {"actor": "user:somebody", "changes": "{}"},
    "governance.signingkey": {"state": "active", "private_key": "x", "revocation_reason": ""},
    "governance.lifecycleedge": {"source": "", "target": "production/approved"},
    "governance.metricreport": {"metrics": "{}"},
    "registry.parkedevent": {"state": "dismissed", "note": "x", "body": "x"},
    "registry.eventqueuehealth": {"reader": "nobody"},
    "registry.registration": {"state": "done", "requested_by": "1", "arn": "x"},
    "registry.groupcreation": {"state": "done", "requested_by": "1"},
    "registry.apitoken": {"name": "changed"},
    "registry.projectuserobjectpermission": {"user": "1"},
}

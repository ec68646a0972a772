"""Addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from portal.core import public_ids

from . import (
    account_forms,
    accounts,
    ai_act,
    endpoint_metrics,
    exports,
    groups,
    monitors,
    personas,
    saved_views,
    sync_strip,
    tracking,
    use_case_tabs,
    use_cases,
    versions,
)

public_ids.register()

app_name = "registry"
urlpatterns = [
    path("use-cases/", use_cases.UseCaseList.as_view(), name="use_case_list"),
    path("use-cases/export.csv", exports.UseCaseFile.as_view(), name="use_case_file"),
    path("use-cases/<use_case:number>/", use_case_tabs.UseCaseDetail.as_view(), name="use_case"),
    path("use-cases/<use_case:number>/tab/<str:tab>/", use_case_tabs.UseCaseTab.as_view(), name="use_case_tab"),
    path("use-cases/<use_case:number>/edit/", use_cases.UseCaseEdit.as_view(), name="use_case_edit"),
    path("use-cases/<use_case:number>/documents/", use_cases.UseCaseDocuments.as_view(), name="use_case_documents"),
    path("use-cases/<use_case:number>/classify/", use_cases.UseCaseClassify.as_view(), name="use_case_classify"),
    path("use-cases/<use_case:number>/ai-act/", ai_act.UseCaseAiAct.as_view(), name="use_case_ai_act"),
    path(
        "use-cases/<use_case:number>/ai-act/questionnaire/",
        ai_act.UseCaseQuestionnaire.as_view(),
        name="use_case_questionnaire",
    ),
    path("ai-act/", ai_act.AiAct.as_view(), name="ai_act"),
    path("model-groups/", groups.GroupList.as_view(), name="group_list"),
    path("model-groups/export.csv", exports.GroupFile.as_view(), name="group_file"),
    path("model-groups/<row:pk>/", groups.GroupDetail.as_view(), name="group"),
    path("model-groups/<row:pk>/edit/", groups.GroupEdit.as_view(), name="group_edit"),
    path("model-versions/", versions.VersionList.as_view(), name="version_list"),
    path("model-versions/<row:pk>/", versions.VersionDetail.as_view(), name="version"),
    *(
        path(f"model-versions/<row:pk>/{tab}/", versions.VersionDetail.as_view(tab=tab), name=f"version_{tab}")
        for tab in versions.Tab
        if tab is not versions.Tab.OVERVIEW
    ),
    path(
        "model-versions/<row:pk>/endpoint-metrics/",
        endpoint_metrics.VersionEndpointMetrics.as_view(),
        name="version_endpoint_metrics",
    ),
    path(
        "endpoints/<account:account_id>/<slug:region>/<slug:name>/metrics/",
        endpoint_metrics.EndpointMetrics.as_view(),
        name="endpoint_metrics",
    ),
    path("accounts/", accounts.AccountList.as_view(), name="account_list"),
    path("accounts/register/", account_forms.AccountRegister.as_view(), name="account_register"),
    path("accounts/<account:account_id>/", accounts.AccountDetail.as_view(), name="account"),
    path("accounts/<account:account_id>/test/", accounts.AccountTest.as_view(), name="account_test"),
    path("accounts/<account:account_id>/edit/", account_forms.AccountEdit.as_view(), name="account_edit"),
    path("accounts/<account:account_id>/permissions/", accounts.AccountCheck.as_view(), name="account_check"),
    path("accounts/<account:account_id>/personas/", personas.AccountPersonas.as_view(), name="account_personas"),
    path(
        "accounts/<account:account_id>/personas/<slug:persona>/<int:number>/",
        personas.PersonaFile.as_view(),
        name="persona_file",
    ),
    path(
        "accounts/<account:account_id>/personas/roles/<row:pk>/link/",
        personas.RoleLink.as_view(),
        name="role_link",
    ),
    path("tracking-servers/", tracking.TrackingServerList.as_view(), name="tracking_server_list"),
    path("tracking-servers/register/", tracking.TrackingServerNew.as_view(), name="tracking_server_new"),
    path("tracking-servers/<row:pk>/", tracking.TrackingServerDetail.as_view(), name="tracking_server"),
    path("tracking-servers/<row:pk>/edit/", tracking.TrackingServerEdit.as_view(), name="tracking_server_edit"),
    path("tracking-servers/<row:pk>/test/", tracking.TrackingServerTest.as_view(), name="tracking_server_test"),
    path("tracking-servers/<row:pk>/remove/", tracking.TrackingServerRemove.as_view(), name="tracking_server_remove"),
    path("monitors/", monitors.MonitorList.as_view(), name="monitor_list"),
    path("monitors/<row:pk>/", monitors.MonitorDetail.as_view(), name="monitor"),
    path("views/", saved_views.SavedViewList.as_view(), name="saved_view_list"),
    path("views/new/", saved_views.SavedViewNew.as_view(), name="saved_view_new"),
    path("views/usual/", saved_views.SavedViewDefault.as_view(), name="saved_view_default"),
    path("views/<row:pk>/", saved_views.SavedViewPage.as_view(), name="saved_view"),
    path("views/<row:pk>/update/", saved_views.SavedViewUpdate.as_view(), name="saved_view_update"),
    path("views/<row:pk>/delete/", saved_views.SavedViewDelete.as_view(), name="saved_view_delete"),
    path("sync-runs/last-day/", sync_strip.SyncStrip.as_view(), name="sync_strip"),
    path("sync-runs/", accounts.SyncRunList.as_view(), name="sync_run_list"),
]

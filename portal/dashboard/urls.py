"""Addresses that span both apps."""

from __future__ import annotations

from django.urls import path

from . import overview, search, views

urlpatterns = [
    path("", views.Home.as_view(), name="home"),
    path("dashboard/", overview.Dashboard.as_view(), name="dashboard"),
    path("search/", search.Search.as_view(), name="search"),
    path("search/palette/", search.Palette.as_view(), name="search_palette"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
]

"""The e-mails people get: plain text first, the same in simple HTML, links with the portal's public address."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from ..models import NotificationDelivery


def absolute(path: str) -> str:
    """Return the address of a page as people outside of the portal open it."""
    return f"{settings.PORTAL_PUBLIC_URL.rstrip('/')}{path}"


def mail_of(delivery: NotificationDelivery) -> EmailMultiAlternatives:
    """Return the e-mail of one delivery; sent again it is the same one, by its Message-ID."""
    told = delivery.notification
    context: dict[str, Any] = {"person": delivery.person, "settings_url": absolute(reverse("governance:notify"))}
    if told is not None:
        name, subject = "notification", told.title
        context |= {"title": told.title, "text": told.text, "url": absolute(told.path)}
    else:
        name, subject = "digest", str(delivery.content["subject"])
        context |= {"subject": subject, "home_url": absolute("/"), "sections": _sections(delivery.content)}
    host = urlsplit(settings.PORTAL_PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        # A line break in a header would be another header; Django refuses it, and this keeps it from being one.
        subject=" ".join(subject.split()),
        body=render_to_string(f"governance/mail/{name}.txt", context),
        to=[delivery.person.email],
        headers={
            "Message-ID": f"<notification-{delivery.pk}@{host}>",
            "Date": formatdate(delivery.created_at.timestamp()),
            # Nobody's holiday message needs to answer this (RFC 3834).
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string(f"governance/mail/{name}.html", context), "text/html")
    return mail


def _sections(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**section, "lines": [{**line, "url": absolute(line["path"])} for line in section["lines"]]}
        for section in content["sections"]
    ]

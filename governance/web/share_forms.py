"""What people fill in about shares. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet

from registry.models import AwsAccount, ModelGroup, RamPermission
from registry.sharing.template import SHAREABLE
from registry.sharing.verbs import Verb, words

from ..services.share_rules import Wish

CUSTOM = "custom"
_EXTERNAL = [("", "As the accounts need it"), ("yes", "Yes"), ("no", "No")]
_EXAMPLE = '{"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]}'


class _Groups(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.account.alias}, {obj.region})"


class _Accounts(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj}{'' if obj.is_enabled else ', disabled'}"


class ShareForm(forms.Form):
    """Which groups are shared, with whom, and what they may do."""

    name = forms.CharField(max_length=255, help_text="What people will call it, in RAM too.")
    groups = _Groups(
        queryset=None, label="Model groups", widget=forms.SelectMultiple(attrs={"size": 6}), help_text="Of one account."
    )
    accounts = _Accounts(
        queryset=None,
        required=False,
        label="With these accounts",
        widget=forms.CheckboxSelectMultiple,
    )
    organisation_principals = forms.CharField(
        label="With the organisation or units of it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="ARNs, one a line. Inside an organisation that shares, nobody has to accept.",
    )
    permission = forms.ChoiceField(label="What they may do", widget=forms.RadioSelect)
    custom_name = forms.CharField(
        label="Name of your own permission", required=False, help_text="At most 36 letters, digits, dots and hyphens."
    )
    custom_template = forms.CharField(
        label="Its policy template",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": _EXAMPLE}),
        help_text=f"JSON with the actions one by one: {', '.join(SHAREABLE)}.",
    )
    allows_external = forms.ChoiceField(
        label="Open to accounts outside of the organisation", choices=_EXTERNAL, required=False
    )
    reason = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed from an ML admin when it lets another account approve or delete.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    take_over = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    def __init__(
        self,
        *args: Any,
        groups: QuerySet[ModelGroup],
        accounts: QuerySet[AwsAccount],
        permissions: Iterable[RamPermission],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("groups", groups), ("accounts", accounts)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = rows
        choice = self.fields["permission"]
        assert isinstance(choice, forms.ChoiceField)
        known = {row.arn: f"{words(Verb(verb) for verb in row.verbs)}: {row.name}" for row in permissions}
        choice.choices = [*known.items(), (CUSTOM, "only the actions of a permission of your own, below")]

    def wish(self) -> Wish:
        """Return what is wanted, for the service."""
        given = self.cleaned_data
        custom = given["permission"] == CUSTOM
        return Wish(
            name=given["name"],
            groups=[group.pk for group in given["groups"]],
            accounts=[account.account_id for account in given["accounts"]],
            organisation_principals=given["organisation_principals"].split(),
            permission_arn="" if custom else given["permission"],
            custom_name=given["custom_name"] if custom else "",
            custom_template=given["custom_template"] or "{}" if custom else None,
            allows_external={"yes": True, "no": False}.get(given["allows_external"]),
            reason=given["reason"],
        )

    @staticmethod
    def values_of(wish: Wish) -> dict[str, Any]:
        """Return the fields, all but the accounts, as a wish fills them in."""
        return {
            "name": wish.name,
            "groups": list(wish.groups),
            "organisation_principals": "\n".join(wish.organisation_principals),
            "permission": CUSTOM if wish.custom_name else wish.permission_arn,
            "custom_name": wish.custom_name,
            "custom_template": wish.custom_template or "",
            "allows_external": {True: "yes", False: "no", None: ""}[wish.allows_external],
            "reason": wish.reason,
        }

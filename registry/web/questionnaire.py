"""The AI Act questionnaire as a form: the questions that are asked now, in sections, with what follows from them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

from .. import ai_act
from ..ai_act.questionnaire import Asked

PREFIX = "q-"


class QuestionnaireForm(forms.Form):
    """The questions of an edition that are asked after the answers so far; a changed answer may ask others.

    Answers to questions that are no longer asked are let go. What is not on offer is refused beside its question.
    """

    def __init__(
        self, data: Any = None, *, edition: ai_act.Edition, answers: ai_act.Answers | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.edition = edition
        self.usable = _usable(edition, answers or {} if data is None else _sent(edition, data))
        self.assessment = ai_act.assess(edition, self.usable)
        self._asked = [
            (asked_in.section, [asked for asked in asked_in.questions if asked.is_asked])
            for asked_in in ai_act.questionnaire(edition, self.usable)
        ]
        for _, questions in self._asked:
            for asked in questions:
                self.fields[PREFIX + asked.question.key] = _field(asked)
        self.fields["derogation_reason"] = forms.CharField(
            label="Why it is not high-risk although it is in Annex III",
            widget=forms.Textarea(attrs={"rows": 3}) if self.assessment.is_derogated else forms.HiddenInput,
            required=False,
            help_text="The written reason that Article 6(4) asks for. It is kept and shown to the officer.",
        )
        self.fields["reason"] = forms.CharField(
            label="Note to the officer",
            widget=forms.Textarea(attrs={"rows": 3}),
            required=False,
            help_text="What the answers rest on. It is kept with them.",
        )
        self.fields["edition"] = forms.CharField(widget=forms.HiddenInput, required=False, initial=edition.id)

    def sections(self) -> list[dict[str, Any]]:
        """Return the sections that are asked, each with its fields and how many of them are open."""
        return [
            {
                "section": section,
                "fields": [self[PREFIX + asked.question.key] for asked in questions],
                "open": sum(asked.is_open for asked in questions),
            }
            for section, questions in self._asked
            if questions
        ]

    def notes(self) -> list[BoundField]:
        """Return the fields behind the questions."""
        return [field for field in (self["derogation_reason"], self["reason"]) if not field.is_hidden]

    def hidden(self) -> list[BoundField]:
        """Return the fields nobody fills in."""
        return [field for field in (self["derogation_reason"], self["edition"]) if field.is_hidden]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            ai_act.read_answers(self.edition, self.answers())
        except ai_act.AnswersUnusable as error:
            for key, text in error.errors.items():
                self.add_error(PREFIX + key, text)
        return given

    def answers(self) -> dict[str, Any]:
        """Return the answers to what is asked."""
        asked = (name for name in self.fields if name.startswith(PREFIX))
        given = {name.removeprefix(PREFIX): self.cleaned_data.get(name) for name in asked}
        return {key: answer for key, answer in given.items() if answer}


def field_name(refused: str) -> str:
    """Return the form's name for what a refusal names."""
    return f"{PREFIX}{refused.removeprefix('answers.')}" if refused.startswith("answers.") else refused


def _field(asked: Asked) -> forms.Field:
    question = asked.question
    choices = [(option.key, option.text) for option in asked.options]
    common: dict[str, Any] = {
        "label": question.text,
        "help_text": f"{question.article}. {question.help}".strip(),
        "required": False,
        "choices": choices,
    }
    if question.type == "multi":
        return forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, initial=list(asked.answer), **common)
    return forms.ChoiceField(widget=forms.RadioSelect, initial=next(iter(asked.answer), ""), **common)


def _sent(edition: ai_act.Edition, data: Any) -> dict[str, Any]:
    """Return what a browser sent, question by question; of a single answer sent twice, the last."""
    sent: dict[str, Any] = {}
    for key, question in edition.questions.items():
        values = data.getlist(PREFIX + key) if hasattr(data, "getlist") else []
        if values:
            sent[key] = values if question.type == "multi" else values[-1]
    return sent


def _usable(edition: ai_act.Edition, answers: dict[str, Any]) -> ai_act.Answers:
    """Return the answers that can be used; what is wrong with the rest the fields say."""
    known = {key: answer for key, answer in answers.items() if key in edition.questions}
    try:
        return ai_act.read_answers(edition, known)
    except ai_act.AnswersUnusable as error:
        return ai_act.read_answers(edition, {key: known[key] for key in known if key not in error.errors})

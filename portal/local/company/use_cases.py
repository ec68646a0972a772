"""What the company uses models for: the use cases, with the answers their AI Act questionnaires were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.core.vocabulary import Stage
from registry.choices import DocumentKind

# What most systems of a bank answer: an AI system in the Union, none of what is prohibited, nothing of Annex III.
_NO = (
    "open_source", "p_manipulation", "p_vulnerability", "p_social_scoring", "p_crime_prediction", "p_face_scraping",
    "p_emotion_work_school", "p_biometric_categories", "p_live_identification", "p_intimate_imagery", "p_child_abuse",
    "profiling", "t_interacts", "t_synthetic", "t_emotion", "t_deep_fake", "t_public_text", "g_based",
)  # fmt: skip
_NONE = (
    "exclusions", "becomes_provider", "a3_biometrics", "a3_infrastructure", "a3_education", "a3_employment",
    "a3_services", "a3_law_enforcement", "a3_migration", "a3_justice", "public_deployer",
)  # fmt: skip
_USUAL: dict[str, Any] = {
    "ai_system": "yes",
    "union": "yes",
    "role": ["provider", "deployer"],
    "product": "neither",
    **dict.fromkeys(_NO, "no"),
    **{key: ["none"] for key in _NONE},
}

CREDIT = {"a3_services": ["credit"], "a3_fraud_only": "no", "profiling": "yes"}
FRAUD = {"a3_services": ["credit"], "a3_fraud_only": "yes"}
INSURANCE = {"a3_services": ["insurance"], "profiling": "yes"}
HIRING = {"a3_employment": ["recruitment"], "profiling": "yes"}
TALKS = {"t_interacts": "yes", "t_interacts_exception": ["none"]}
EMOTIONS = {"p_emotion_work_school": "yes", "p_emotion_medical_safety": "no"}
# Sorting incoming applications by form: of Annex III, but a narrow procedural task (Art. 6(3)(a)).
NARROW = {"a3_employment": ["recruitment"], "derogation": ["narrow_task"], "significant_risk": "no"}


@dataclass(frozen=True)
class UseCasePlan:
    """One use case: `day` is when it was registered (days after the beginning), `until` how far it came.

    `answers` differ from the usual ones; None was classified by hand, or not at all without `by_hand`. `review` is
    its next review in days from today.
    """

    name: str
    project: str
    day: int
    purpose: str
    description: str
    business_owner: str
    answers: dict[str, Any] | None = field(default_factory=dict)
    by_hand: str = ""
    derogation: str = ""
    until: Stage = Stage.DEVELOPMENT
    documents: int = 5
    review: int | None = 180
    scientist: int = 0
    fate: str = ""

    def all_answers(self) -> dict[str, Any]:
        """Return the whole questionnaire as it was answered."""
        return {**_USUAL, **(self.answers or {})}


POC, DEVELOPMENT, QA = Stage.POC, Stage.DEVELOPMENT, Stage.QA
PRE, PRODUCTION = Stage.PRE_PRODUCTION, Stage.PRODUCTION

USE_CASES: tuple[UseCasePlan, ...] = (
    # Registered before the story begins, as the small demo has it; here it goes on.
    UseCasePlan(
        "Credit risk scoring", "credit-risk", 0,
        "Rank loan applications by the risk of default, for manual review.",
        "Consumer loans up to 50,000. The score never decides alone.",
        "Head of Consumer Lending", CREDIT, until=PRODUCTION, review=75,
    ),
    UseCasePlan(
        "Card transaction fraud detection", "card-fraud", 1,
        "Hold card payments that look fraudulent until the customer confirms them.",
        "Scores every card payment within 40 ms. A held payment is released by one tap in the app.",
        "Head of Card Operations", FRAUD, until=PRODUCTION, review=-9,
    ),
    UseCasePlan(
        "Merchant risk monitoring", "card-fraud", 4,
        "Point out merchants whose payments begin to look unlike those of their trade.",
        "A weekly list for the merchant team, with the three figures that moved most.",
        "Head of Merchant Services", until=QA, review=120, scientist=1,
    ),
    UseCasePlan(
        "Suspicious transaction triage", "aml-monitoring", 2,
        "Order alerts of the rule engine by how likely an analyst will report them.",
        "No alert is closed by the model: it decides which is read first.",
        "Head of Financial Crime", until=PRODUCTION, review=60,
    ),
    UseCasePlan(
        "Mortgage affordability assessment", "mortgage-pricing", 3,
        "Estimate what instalment an applicant can carry over the term of a mortgage.",
        "The estimate is one of five figures in front of the underwriter who decides.",
        "Head of Mortgages", CREDIT, until=PRE, review=30,
    ),
    UseCasePlan(
        "Motor claims damage estimation", "motor-claims", 5,
        "Estimate repair costs from photographs of a damaged car.",
        "Claims under 2,000 are paid at once when garage and estimate agree within a tenth.",
        "Head of Motor Claims", until=PRODUCTION, review=90, scientist=1,
    ),
    UseCasePlan(
        "Life insurance risk pricing", "motor-claims", 8,
        "Estimate mortality risk for the pricing of term life insurance.",
        "Actuaries set the tariff; the model points out where it no longer fits.",
        "Chief Actuary", INSURANCE, until=DEVELOPMENT, documents=3, review=150,
    ),
    UseCasePlan(
        "Customer churn early warning", "churn-retention", 6,
        "Tell advisers which customers are likely to leave within three months.",
        "Advisers see a list of fifty customers a week, with reasons, and decide whom to call.",
        "Head of Retail Customers", until=PRODUCTION, review=-3,
    ),
    UseCasePlan(
        "Retention offer selection", "churn-retention", 31,
        "Choose which of four offers an adviser puts to a customer who is about to leave.",
        "Offers cost the same; the model is about what suits, not about the price.",
        "Head of Retail Customers", until=QA, scientist=1,
    ),
    UseCasePlan(
        "Customer service assistant", "service-assistant", 10,
        "Answer customers' questions about their accounts in the app, day and night.",
        "Answers come from the help pages and name them. Money is never moved by it.",
        "Head of Customer Service", TALKS, until=PRE, review=45,
    ),
    UseCasePlan(
        "Call emotion coaching", "service-assistant", 17,
        "Read agents' voices during calls and coach those who sound stressed.",
        "Asked for by the call centre's works management.",
        "Head of Call Centres", EMOTIONS, until=POC, documents=1, review=None, scientist=1, fate="prohibited",
    ),
    UseCasePlan(
        "Candidate shortlist ranking", "talent-matching", 12,
        "Order applications for a position by how well they fit what it asks for.",
        "Recruiters read every application; the order is where they begin.",
        "Head of Recruiting", HIRING, until=DEVELOPMENT, review=75,
    ),
    UseCasePlan(
        "Application form completeness", "talent-matching", 26,
        "Find applications that lack a document, and ask for it.",
        "Reads forms and attachments' types, not what they say.",
        "Head of Recruiting", NARROW, until=QA, scientist=1, review=100,
        derogation="It checks whether attachments are there and judges nobody: a narrow procedural task.",
    ),
    UseCasePlan(
        "Branch cash forecasting", "cash-logistics", 7,
        "Forecast how much cash each branch and machine needs in the next two weeks.",
        "Saves transports. A person approves every order above 500,000.",
        "Head of Cash Logistics", until=PRODUCTION, review=14,
    ),
    UseCasePlan(
        "Branch staffing forecast", "cash-logistics", 38,
        "Forecast visitors a day and branch, so that enough advisers are there.",
        "Plans are made by branch managers; the forecast fills in the first draft.",
        "Head of Branches", until=DEVELOPMENT, scientist=1, review=200,
    ),
    UseCasePlan(
        "Collections contact timing", "credit-risk", 44,
        "Find the hour at which a customer in arrears is likely to pick up the phone.",
        "Within the hours and the number of calls the law allows.",
        "Head of Collections", until=POC, documents=2, review=None, scientist=1, fate="rejected",
    ),
    UseCasePlan(
        "Document fraud screening", "mortgage-pricing", 52,
        "Point out payslips and statements that were altered before they were uploaded.",
        "An underwriter looks at each one that is pointed out.",
        "Head of Mortgages", {**FRAUD, "a3_services": ["credit"]}, until=DEVELOPMENT, scientist=1,
    ),
    UseCasePlan(
        "Sanctions name matching", "aml-monitoring", 61,
        "Match customers' names with sanctions lists across scripts and spellings.",
        "Every match is read by an analyst.",
        "Head of Financial Crime", None, by_hand="Matching names is neither in Annex III nor near Art. 5.",
        until=DEVELOPMENT, scientist=1,
    ),
    UseCasePlan(
        "Complaint topic routing", "service-assistant", 79,
        "Sort complaints by topic, so that they reach the right desk on the same day.",
        "Topics follow the ombudsman's list.",
        "Head of Customer Service", {}, until=POC, documents=0, review=None, fate="asked",
    ),
    UseCasePlan(
        "Voice authentication pilot", "service-assistant", 86,
        "Recognise customers by their voice when they call.",
        "Instead of the five security questions.",
        "Head of Call Centres", None, until=POC, documents=0, review=None, scientist=1, fate="unclassified",
    ),
)  # fmt: skip

_DOCUMENTS = {
    DocumentKind.RISK_ASSESSMENT: "What can go wrong in “{name}”, how likely it is and whom it would hurt:"
    " wrong scores for groups that are rare in the training data, silent drift after a change of"
    " products, use beyond its purpose.",
    DocumentKind.MITIGATION: "Segments are evaluated apart before each release. Inputs outside the trained range go to"
    " a person. A switch takes the model out of the process within a minute.",
    DocumentKind.TRANSPARENCY: "People are told that a model took part, what it read, and the three factors that"
    " weighed most. The model card is open to everybody in the company.",
    DocumentKind.OVERSIGHT: "{owner} names who may overrule the model; each overruling is counted and read monthly.",
    DocumentKind.MONITORING: "Data quality and drift daily, model quality weekly against what turned out to be true."
    " The threshold of the policy is the alarm.",
}  # fmt: skip


def documents_of(plan: UseCasePlan) -> dict[DocumentKind, str]:
    """Return as many of the five documents as the use case has written."""
    kinds = list(_DOCUMENTS)[: plan.documents]
    return {kind: _DOCUMENTS[kind].format(name=plan.name, owner=plan.business_owner) for kind in kinds}

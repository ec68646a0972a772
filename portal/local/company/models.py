"""The company's model package groups: where they live, what they serve, and how their versions came along."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.choices import RiskRating

from ..sandbox.accounts import DEVELOPMENT, HUB

HIGH, MEDIUM, LOW = RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW
US, EU = "us-east-1", "eu-west-1"

# How far the newest version of a group has come, and what it waits for. Those of "age" days have waited as long.
IDLE, DEV_OPEN, QA_OPEN, QA_HALF = "idle", "dev_open", "qa_open", "qa_half"
QA_BLOCKED, PRE_OPEN, PROD_OPEN = "qa_blocked", "pre_open", "prod_open"
PROD_HALF, ORDERED, LIVE = "prod_half", "ordered", "live"
REJECTED, CHANGES, REWORKED = "rejected", "changes", "reworked"


@dataclass(frozen=True)
class GroupPlan:
    """One group: `versions` of them from `day` on; the best of them went as far as `reach`.

    `heads` are the fates of the newest ones with their age in days, the last one the newest version. `measure` is the
    family of metrics, `level` where its main one began and `gain` what the versions gained in all. Without a project
    nobody has claimed it.
    """

    name: str
    description: str
    project: str | None
    use_case: str | None
    day: int
    versions: int
    risk: RiskRating
    algorithm: str
    measure: str = "ranking"
    level: float = 0.78
    gain: float = 0.05
    reach: str = "live"
    heads: tuple[tuple[str, int], ...] = ((IDLE, 2),)
    account: str = HUB
    region: str = US
    from_development: bool = False  # its artifacts lie in the bucket of the account it was trained in
    shared: bool = False
    early: bool = False  # its first version went as far as the best
    in_full: bool = False  # every report and drift baseline there is, as a pipeline with all its checks leaves them
    jobs: dict[int, str] = field(default_factory=dict)  # the training jobs that versions name, in development
    oddities: dict[int, str] = field(default_factory=dict)


_FRAUD, _MERCHANT = "Card transaction fraud detection", "Merchant risk monitoring"
_TRIAGE, _SANCTIONS = "Suspicious transaction triage", "Sanctions name matching"
_MORTGAGE, _DOCUMENTS = "Mortgage affordability assessment", "Document fraud screening"
_CLAIMS, _LIFE = "Motor claims damage estimation", "Life insurance risk pricing"
_CHURN, _OFFER = "Customer churn early warning", "Retention offer selection"
_ASSISTANT, _HIRING = "Customer service assistant", "Candidate shortlist ranking"
_FORMS, _CASH = "Application form completeness", "Branch cash forecasting"
_STAFFING = "Branch staffing forecast"

GROUPS: tuple[GroupPlan, ...] = (
    GroupPlan("credit-risk", "Scores the credit risk of loan applications", "credit-risk", "Credit risk scoring", 8, 4,
              HIGH, "xgboost", early=True, level=0.838, gain=0.017, heads=((LIVE, 11),), shared=True, in_full=True,
              from_development=True, jobs={4: "credit-risk-by-hand"}),
    GroupPlan("card-fraud-online", "Scores card payments on the internet", "card-fraud", _FRAUD, 3, 9, MEDIUM,
              "xgboost", level=0.911, gain=0.031, heads=((PROD_OPEN, 2), (QA_OPEN, 1)), from_development=True,
              shared=True),
    GroupPlan("card-fraud-terminal", "Scores card payments at terminals", "card-fraud", _FRAUD, 5, 8, MEDIUM,
              "lightgbm", early=True, level=0.902, gain=0.022, heads=((LIVE, 9), (QA_BLOCKED, 4)),
              oddities={8: "no_card"}),
    GroupPlan("card-fraud-withdrawal", "Scores withdrawals at machines", "card-fraud", _FRAUD, 12, 6, LOW,
              "xgboost", level=0.884, gain=0.018, heads=((ORDERED, 3), (DEV_OPEN, 1))),
    GroupPlan("merchant-risk", "Ranks merchants whose payments change", "card-fraud", _MERCHANT, 9, 6, MEDIUM,
              "isolation forest", level=0.801, gain=0.04, reach="qa",
              heads=((REJECTED, 8), (QA_OPEN, 6), (QA_OPEN, 3))),
    GroupPlan("aml-alert-triage", "Orders alerts by how likely they are reported", "aml-monitoring", _TRIAGE, 4, 8,
              MEDIUM, "xgboost", level=0.832, gain=0.044, heads=((LIVE, 14), (PRE_OPEN, 5), (DEV_OPEN, 3)),
              region=EU, oddities={4: "bad_metadata"}),
    GroupPlan("aml-network-features", "Finds accounts that move money together", "aml-monitoring", _TRIAGE, 18, 4,
              MEDIUM, "graph neural network", level=0.79, gain=0.05, reach="pre", heads=((QA_OPEN, 6),), region=EU),
    GroupPlan("sanctions-names", "Matches names across scripts", "aml-monitoring", _SANCTIONS, 63, 3, LOW,
              "siamese transformer", level=0.94, gain=0.01, reach="dev", heads=((DEV_OPEN, 4),), region=EU),
    GroupPlan("affordability-instalment", "Estimates the instalment an applicant can carry", "mortgage-pricing",
              _MORTGAGE, 6, 8, HIGH, "gradient boosting", early=True, level=0.742, gain=0.046, reach="pre",
              heads=((PRE_OPEN, 9), (QA_HALF, 3)), shared=True, from_development=True),
    GroupPlan("affordability-expenses", "Estimates living costs from statements", "mortgage-pricing", _MORTGAGE, 11, 6,
              HIGH, "random forest", level=0.731, gain=0.03, reach="qa", heads=((CHANGES, 6), (QA_OPEN, 11))),
    GroupPlan("payslip-tampering", "Finds payslips that were altered", "mortgage-pricing", _DOCUMENTS, 55, 3, MEDIUM,
              "vision transformer", level=0.86, gain=0.03, reach="dev", heads=((REJECTED, 5), (DEV_OPEN, 7))),
    GroupPlan("damage-photo", "Finds damaged parts in photographs", "motor-claims", _CLAIMS, 7, 9, MEDIUM,
              "convolutional network", level=0.846, gain=0.05, heads=((LIVE, 12), (QA_BLOCKED, 2)),
              from_development=True, oddities={6: "no_card", 9: "no_card"}),
    GroupPlan("damage-cost", "Estimates the cost of a repair", "motor-claims", _CLAIMS, 9, 8, MEDIUM,
              "gradient boosting", measure="error", level=0.184, gain=-0.041,
              heads=((PROD_OPEN, 6), (DEV_OPEN, 2))),
    GroupPlan("claims-text", "Reads claim forms", "motor-claims", _CLAIMS, 25, 5, LOW, "transformer", level=0.871,
              gain=0.02, reach="pre", heads=((PRE_OPEN, 8), (QA_OPEN, 2))),
    GroupPlan("life-mortality", "Estimates mortality for pricing", "motor-claims", _LIFE, 14, 4, HIGH,
              "survival forest", level=0.702, gain=0.03, reach="qa", heads=((QA_HALF, 6), (DEV_OPEN, 8)), region=EU),
    GroupPlan("churn-retail", "Scores customers likely to leave", "churn-retention", _CHURN, 8, 9, LOW, "xgboost",
              level=0.771, gain=0.05, heads=((LIVE, 10), (REWORKED, 2)), shared=True, from_development=True,
              oddities={5: "unknown_use_case"}),
    GroupPlan("churn-business", "Scores small businesses likely to leave", "churn-retention", _CHURN, 20, 6, LOW,
              "logistic regression", early=True, level=0.742, gain=0.02,
              heads=((LIVE, 7), (QA_OPEN, 7), (PRE_OPEN, 1))),
    GroupPlan("offer-choice", "Chooses an offer for a customer", "churn-retention", _OFFER, 34, 4, LOW,
              "contextual bandit", level=0.664, gain=0.05, reach="qa", heads=((QA_OPEN, 5), (IDLE, 1))),
    GroupPlan("assistant-intent", "Finds out what a question is about", "service-assistant", _ASSISTANT, 12, 6, LOW,
              "distilled transformer", level=0.902, gain=0.03, reach="pre", heads=((PRE_OPEN, 4), (DEV_OPEN, 1)),
              region=EU),
    GroupPlan("assistant-answers", "Finds the help page that answers", "service-assistant", _ASSISTANT, 16, 6, MEDIUM,
              "dense retriever", level=0.812, gain=0.05, reach="pre", heads=((REJECTED, 3), (QA_OPEN, 4)), region=EU),
    GroupPlan("assistant-tone", "Softens answers", "service-assistant", _ASSISTANT, 41, 3, LOW, "small language model",
              measure="text", level=0.35, gain=0.05, reach="dev", heads=((REJECTED, 9), (REWORKED, 5)), region=EU),
    GroupPlan("shortlist-ranking", "Orders applications by fit", "talent-matching", _HIRING, 16, 4, HIGH,
              "learning to rank", level=0.713, gain=0.03, reach="dev", heads=((REJECTED, 11), (QA_OPEN, 9))),
    GroupPlan("form-attachments", "Tells attachments apart", "talent-matching", _FORMS, 29, 3, LOW,
              "convolutional network", level=0.951, gain=0.01, reach="qa", heads=((QA_OPEN, 5), (QA_OPEN, 2))),
    GroupPlan("cash-demand", "Forecasts cash by branch", "cash-logistics", _CASH, 9, 9, LOW, "temporal fusion",
              measure="error", early=True, level=0.128, gain=-0.034, heads=((LIVE, 8), (QA_OPEN, 3), (PROD_OPEN, 1))),
    GroupPlan("cash-machines", "Forecasts cash by machine", "cash-logistics", _CASH, 13, 6, LOW, "prophet",
              measure="error", early=True, level=0.152, gain=-0.02, heads=((LIVE, 16), (PRE_OPEN, 3), (DEV_OPEN, 2)),
              oddities={3: "lost_bucket"}),
    GroupPlan("visitors-a-day", "Forecasts visitors by branch", "cash-logistics", _STAFFING, 42, 4, LOW, "prophet",
              measure="error", level=0.171, gain=-0.02, reach="dev", heads=((DEV_OPEN, 6),)),
    GroupPlan("collections-hour", "Finds the hour to call", "credit-risk", None, 50, 3, LOW, "logistic regression",
              level=0.61, gain=0.02, reach="dev", heads=((IDLE, 12),)),
    GroupPlan("fx-hedging-research", "", None, None, 30, 4, LOW, "lstm", measure="error", level=0.31, gain=-0.02,
              reach="none", account=DEVELOPMENT),
    GroupPlan("summer-school-iris", "Trained at the summer school", None, None, 45, 2, LOW, "decision tree",
              level=0.97, gain=0.0, reach="none", account=DEVELOPMENT),
    GroupPlan("legacy-scorecard", "Taken over from the old scoring platform", None, None, 2, 3, LOW,
              "logistic regression", level=0.69, gain=0.0, reach="none"),
)  # fmt: skip


def group_of(name: str) -> GroupPlan:
    """Return a group by its name."""
    return next(group for group in GROUPS if group.name == name)

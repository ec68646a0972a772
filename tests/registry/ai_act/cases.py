"""What the articles say, case by case: answers, the class they lead to, and the article that says so.

`because` is the article that must stand in the reasons, the flags or, after "duty ", in the duties.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .filled import AMENDED, FIRST

U, H, L, M = "unacceptable", "high", "limited", "minimal"
EXEMPT: dict[str, Any] = {"profiling": "no", "derogation": ["preparatory"], "significant_risk": "no"}
CREDIT: dict[str, Any] = {"a3_services": ["credit"]}
MEDICAL: dict[str, Any] = {"product": "component", "product_law": ["medical"]}
LIVE: dict[str, Any] = {"p_live_identification": "yes"}


class Case(NamedTuple):
    """One case; `edition` is the one in force unless the case is about another."""

    name: str
    answers: dict[str, Any]
    risk_class: str
    because: str
    edition: str = AMENDED


CASES = (
    # scope
    Case("rules written by people", {"ai_system": "no"}, M, "Art. 3(1)"),
    Case("no link to the Union", {"union": "no"}, M, "Art. 2(1)"),
    Case("military only", {"exclusions": ["military"]}, M, "Art. 2(3)"),
    Case("cooperation of a third country", {"exclusions": ["third_country"]}, M, "Art. 2(4)"),
    Case("research only", {"exclusions": ["research"]}, M, "Art. 2(6)"),
    Case("before the market", {"exclusions": ["pre_market"]}, M, "Art. 2(8)"),
    Case("personal use", {"exclusions": ["personal"]}, M, "Art. 2(10)"),
    Case("excluded research is not asked for Article 5", {"exclusions": ["research"], "p_social_scoring": "yes"}, M, "Art. 2(6)"),
    Case("nothing applies", {}, M, "Art. 5, 6 and 50"),
    Case("open source and harmless", {"open_source": "yes"}, M, "Art. 2(12)"),
    Case("open source and high", {"open_source": "yes", **CREDIT}, H, "Art. 2(12)"),
    Case("open source and limited", {"open_source": "yes", "t_interacts": "yes"}, L, "Art. 2(12)"),
    Case("open source and prohibited", {"open_source": "yes", "p_face_scraping": "yes"}, U, "Art. 2(12)"),
    # prohibited practices
    Case("manipulation", {"p_manipulation": "yes"}, U, "Art. 5(1)(a)"),
    Case("vulnerabilities", {"p_vulnerability": "yes"}, U, "Art. 5(1)(b)"),
    Case("social scoring", {"p_social_scoring": "yes"}, U, "Art. 5(1)(c)"),
    Case("crime by traits alone", {"p_crime_prediction": "yes"}, U, "Art. 5(1)(d)"),
    Case("crime, supporting facts", {"p_crime_prediction": "yes", "p_crime_prediction_support": "yes"}, M, "Art. 5, 6 and 50"),
    Case("face scraping", {"p_face_scraping": "yes"}, U, "Art. 5(1)(e)"),
    Case("emotions at work", {"p_emotion_work_school": "yes"}, U, "Art. 5(1)(f)"),
    Case(
        "drowsy drivers",
        {"p_emotion_work_school": "yes", "p_emotion_medical_safety": "yes", "a3_biometrics": ["emotion"]},
        H, "Art. 6(2), Annex III, point 1(c)",
    ),
    Case("sensitive traits from faces", {"p_biometric_categories": "yes"}, U, "Art. 5(1)(g)"),
    Case("labelling of lawful data", {"p_biometric_categories": "yes", "p_biometric_lawful_labelling": "yes"}, M, "Art. 5, 6 and 50"),
    Case("live identification", LIVE, U, "Art. 5(1)(h)"),
    Case("live identification, objective without safeguards", {**LIVE, "p_live_objective": ["threat"]}, U, "Art. 5(1)(h)"),
    Case(
        "live identification for victims, with safeguards",
        {**LIVE, "p_live_objective": ["victims"], "p_live_safeguards": "yes", "a3_biometrics": ["identification"]},
        H, "Art. 6(2), Annex III, point 1(a)",
    ),
    Case("intimate imagery", {"p_intimate_imagery": "yes"}, U, "Art. 5(1)(ba)/(bb) as amended"),
    Case("child abuse material", {"p_child_abuse": "yes"}, U, "Art. 5(1)(ba)/(bb) as amended"),
    Case("social scoring inside Annex III is prohibited", {"p_social_scoring": "yes", "a3_services": ["benefits"]}, U, "Art. 5(1)(c)"),
    Case("emotions of applicants are prohibited", {"p_emotion_work_school": "yes", "a3_employment": ["recruitment"]}, U, "Art. 5(1)(f)"),
    Case("scraping for the police is prohibited", {"p_face_scraping": "yes", "a3_law_enforcement": ["evidence"]}, U, "Art. 5(1)(e)"),
    Case("no exemption from Article 5", {"p_social_scoring": "yes", **CREDIT, **EXEMPT}, U, "Art. 5(1)(c)"),
    # the first route to high risk
    Case("component of a medical device", {**MEDICAL, "product_third_party": "yes"}, H, "Art. 6(1), Annex I, Section A, point 11"),
    Case("a lift's own assessment", {"product": "component", "product_law": ["lifts"], "product_third_party": "no"}, M, "Art. 6(1)(b)"),
    Case("a toy itself", {"product": "product", "product_law": ["toys"], "product_third_party": "yes"}, H, "Art. 6(1), Annex I, Section A, point 2"),
    Case("a motor vehicle", {"product": "component", "product_law": ["motor"], "product_third_party": "yes"}, H, "Art. 2(2)"),
    Case("another law's product", {"product": "product", "product_law": ["none"]}, M, "Art. 5, 6 and 50"),
    Case("machinery as first published", {"product": "component", "product_law": ["machinery"], "product_third_party": "yes"}, H, "duty Art. 9", FIRST),
    Case("machinery as amended", {"product": "component", "product_law": ["machinery"], "product_third_party": "yes"}, H, "Art. 2(2)"),
    Case("Article 6(3) is not for Annex I", {**MEDICAL, "product_third_party": "yes", **CREDIT, **EXEMPT}, H, "Art. 6(1), Annex I, Section A, point 11"),
    # the second route
    Case("remote identification", {"a3_biometrics": ["identification"]}, H, "Art. 6(2), Annex III, point 1(a)"),
    Case("verification alone", {"a3_biometrics": ["identification"], "a3_verification_only": "yes"}, M, "Art. 5, 6 and 50"),
    Case("categorisation", {"a3_biometrics": ["categorisation"]}, H, "Art. 6(2), Annex III, point 1(b)"),
    Case("emotions", {"a3_biometrics": ["emotion"]}, H, "Art. 6(2), Annex III, point 1(c)"),
    Case("verification and emotions", {"a3_biometrics": ["identification", "emotion"], "a3_verification_only": "yes"}, H, "Art. 6(2), Annex III, point 1(c)"),
    Case("water supply", {"a3_infrastructure": ["operation"]}, H, "Art. 6(2), Annex III, point 2"),
    Case("admission", {"a3_education": ["admission"]}, H, "Art. 6(2), Annex III, point 3(a)"),
    Case("marking of tests", {"a3_education": ["outcomes"]}, H, "Art. 6(2), Annex III, point 3(b)"),
    Case("level of education", {"a3_education": ["level"]}, H, "Art. 6(2), Annex III, point 3(c)"),
    Case("proctoring", {"a3_education": ["tests"]}, H, "Art. 6(2), Annex III, point 3(d)"),
    Case("recruiting", {"a3_employment": ["recruitment"]}, H, "Art. 6(2), Annex III, point 4(a)"),
    Case("task allocation", {"a3_employment": ["workers"]}, H, "Art. 6(2), Annex III, point 4(b)"),
    Case("benefits", {"a3_services": ["benefits"]}, H, "Art. 6(2), Annex III, point 5(a)"),
    Case("credit", CREDIT, H, "Art. 6(2), Annex III, point 5(b)"),
    Case("credit card fraud", {**CREDIT, "a3_fraud_only": "yes"}, M, "Art. 5, 6 and 50"),
    Case("life insurance", {"a3_services": ["insurance"]}, H, "Art. 6(2), Annex III, point 5(c)"),
    Case("fraud in life insurance is still insurance", {"a3_services": ["credit", "insurance"], "a3_fraud_only": "yes"}, H, "Art. 6(2), Annex III, point 5(c)"),
    Case("emergency calls", {"a3_services": ["emergency"]}, H, "Art. 6(2), Annex III, point 5(d)"),
    Case("victims of crime", {"a3_law_enforcement": ["victim"]}, H, "Art. 6(2), Annex III, point 6(a)"),
    Case("polygraph", {"a3_law_enforcement": ["polygraph"]}, H, "Art. 6(2), Annex III, point 6(b)"),
    Case("evidence", {"a3_law_enforcement": ["evidence"]}, H, "Art. 6(2), Annex III, point 6(c)"),
    Case("re-offending", {"a3_law_enforcement": ["offending"]}, H, "Art. 6(2), Annex III, point 6(d)"),
    Case("profiling of suspects", {"a3_law_enforcement": ["profiling"]}, H, "Art. 6(2), Annex III, point 6(e)"),
    Case("polygraph at the border", {"a3_migration": ["polygraph"]}, H, "Art. 6(2), Annex III, point 7(a)"),
    Case("risk at the border", {"a3_migration": ["risk"]}, H, "Art. 6(2), Annex III, point 7(b)"),
    Case("asylum", {"a3_migration": ["applications"]}, H, "Art. 6(2), Annex III, point 7(c)"),
    Case("recognition at the border", {"a3_migration": ["recognition"]}, H, "Art. 6(2), Annex III, point 7(d)"),
    Case("passports", {"a3_migration": ["recognition"], "a3_documents_only": "yes"}, M, "Art. 5, 6 and 50"),
    Case("courts", {"a3_justice": ["courts"]}, H, "Art. 6(2), Annex III, point 8(a)"),
    Case("elections", {"a3_justice": ["elections"]}, H, "Art. 6(2), Annex III, point 8(b)"),
    Case("campaign logistics", {"a3_justice": ["elections"], "a3_campaign_tools_only": "yes"}, M, "Art. 5, 6 and 50"),
    # the exemption
    Case("narrow task", {**CREDIT, **EXEMPT, "derogation": ["narrow_task"]}, M, "Art. 6(3)(a)"),
    Case("improves human work", {**CREDIT, **EXEMPT, "derogation": ["improves_human_work"]}, M, "Art. 6(3)(b)"),
    Case("detects patterns", {**CREDIT, **EXEMPT, "derogation": ["detects_patterns"]}, M, "Art. 6(3)(c)"),
    Case("preparatory", {**CREDIT, **EXEMPT}, M, "Art. 6(3)(d)"),
    Case("no condition holds", {**CREDIT, **EXEMPT, "derogation": ["none"]}, H, "Art. 6(2), Annex III, point 5(b)"),
    Case("profiling voids the exemption", {**CREDIT, **EXEMPT, "profiling": "yes"}, H, "Art. 6(3), last subparagraph"),
    Case("a significant risk voids it", {**CREDIT, **EXEMPT, "significant_risk": "yes"}, H, "Art. 6(2), Annex III, point 5(b)"),
    Case("an exempt system is registered", {**CREDIT, **EXEMPT}, M, "duty Art. 49(2)"),
    Case("an exempt system is documented", {**CREDIT, **EXEMPT}, M, "duty Art. 6(4)"),
    Case("an exempt chat is limited", {**CREDIT, **EXEMPT, "t_interacts": "yes"}, L, "Art. 50(1)"),
    # transparency
    Case("chat", {"t_interacts": "yes"}, L, "Art. 50(1)"),
    Case("an obvious robot", {"t_interacts": "yes", "t_interacts_exception": ["obvious"]}, M, "Art. 5, 6 and 50"),
    Case("generated pictures", {"t_synthetic": "yes"}, L, "Art. 50(2)"),
    Case("spelling aid", {"t_synthetic": "yes", "t_synthetic_exception": ["assistive"]}, M, "Art. 5, 6 and 50"),
    Case("telling those exposed", {"t_emotion": "yes"}, L, "Art. 50(3)"),
    Case("categories for the police", {"t_emotion": "yes", "t_emotion_exception": "yes"}, M, "Art. 5, 6 and 50"),
    Case("deep fake", {"t_deep_fake": "yes"}, L, "Art. 50(4), first subparagraph"),
    Case("satire", {"t_deep_fake": "yes", "t_deep_fake_kind": "artistic"}, L, "Art. 50(4), first subparagraph"),
    Case("news text", {"t_public_text": "yes"}, L, "Art. 50(4), second subparagraph"),
    Case("edited news", {"t_public_text": "yes", "t_public_text_exception": ["editorial"]}, M, "Art. 5, 6 and 50"),
    Case("a high-risk chat keeps its flag", {**CREDIT, "t_interacts": "yes"}, H, "Art. 50(1)"),
    Case("a high-risk generator keeps its flag", {"a3_education": ["outcomes"], "t_synthetic": "yes"}, H, "Art. 50(2)"),
    Case("emotions are high and told", {"a3_biometrics": ["emotion"], "t_emotion": "yes"}, H, "Art. 50(3)"),
    # roles
    Case("deployer's duties", {**CREDIT, "role": ["deployer"]}, H, "duty Art. 26(1), (2) and (4)"),
    Case("importer's duties", {**CREDIT, "role": ["importer"]}, H, "duty Art. 23"),
    Case("distributor's duties", {**CREDIT, "role": ["distributor"]}, H, "duty Art. 24"),
    Case("representative's duties", {**CREDIT, "role": ["authorised_representative"]}, H, "duty Art. 22"),
    Case("a new name makes a provider", {**CREDIT, "role": ["deployer"], "becomes_provider": ["name"]}, H, "Art. 25(1)"),
    Case("a manufacturer is the provider", {**MEDICAL, "product_third_party": "yes", "role": ["product_manufacturer"]}, H, "Art. 25(3)"),
    Case("impact assessment for credit by anybody", {**CREDIT, "role": ["deployer"]}, H, "Art. 27"),
    Case("impact assessment by a public body", {"a3_education": ["admission"], "role": ["deployer"], "public_deployer": ["public"]}, H, "Art. 27"),
    Case("public bodies register", {"a3_education": ["admission"], "role": ["deployer"], "public_deployer": ["public"]}, H, "duty Art. 26(8) and 49(3)"),
    # general-purpose models
    Case("on a general-purpose model", {"g_based": "yes"}, M, "Art. 51 to 55"),
    Case("own general-purpose model", {"g_based": "yes", "g_provider": "yes"}, M, "duty Art. 53"),
    Case("systemic risk", {"g_based": "yes", "g_provider": "yes", "g_systemic": "yes"}, M, "duty Art. 55"),
)  # fmt: skip

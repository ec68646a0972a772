"""EU AI Act: the questionnaire and its rules as dated data, and the pure engine that reads them; Django-free."""

"""Which model should serve this request, why, and what may it cost?"""

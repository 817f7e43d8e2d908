SELECT ACCOUNTID AS id, ltc_word('company', "Account Name") AS name, Industry AS industry, Website AS website FROM accounts

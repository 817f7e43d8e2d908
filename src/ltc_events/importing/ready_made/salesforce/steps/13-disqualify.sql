/*
rows = "leads"
command = "lead.disqualify"
unless = ["converted", "rejected", "disqualified"]
*/
-- A lead that was converted into an account that was there before is of no other customer than its own prospect: what it led to
-- is a deal of that account.
SELECT lead AS subject, customer, modified AS time,
  CASE WHEN status = 'converted' THEN 'Converted into account ' || account_id || ', which was there before'
    ELSE status_there || ' in Salesforce' END AS reason
FROM leads WHERE status = 'closed' OR (status = 'converted' AND NOT made_account)

/*
rows = "opportunities"
command = "opportunity.lose"
unless = "lost"
*/
SELECT opportunity AS subject, customer, modified AS time, 'other' AS reason, coalesce(lost_as, '简道云：输单') AS note
FROM opportunities WHERE stage = 'lost'

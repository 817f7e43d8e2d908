/*
rows = "leads"
command = "lead.assign"
*/
SELECT lead AS subject, customer, created AS time, owner AS actor, owner FROM leads WHERE converted OR status <> 'Junk Lead'

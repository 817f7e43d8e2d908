/*
rows = "potentials"
command = "opportunity.advance_stage"
*/
SELECT opportunity AS subject, customer, potentials.created AS time, owner AS actor, stage
FROM potentials JOIN leads ON leads.id = lead_id WHERE stage NOT IN ('prospecting', 'won', 'lost')

WITH read AS (
  SELECT opportunity.name AS id, coalesce(title, customer_name, opportunity.name) AS title, opportunity_from, party_name,
    CASE status WHEN 'Converted' THEN 'won' WHEN 'Lost' THEN 'lost' WHEN 'Closed' THEN 'lost'
      ELSE ltc_word('stage', sales_stage) END AS stage, status AS status_there,
    coalesce(ltc_amount(opportunity_amount, '1234.56'), 0) AS amount, currency, opportunity_owner AS owner,
    ltc_date(expected_closing, '%Y-%m-%d') AS closing, ltc_date(transaction_date, '%Y-%m-%d') AS opened,
    ltc_time(left(modified, 19), '%Y-%m-%d %H:%M:%S') AS modified
  FROM opportunity
)
SELECT read.*, ltc_id('opportunity', read.id) AS opportunity,
  CASE opportunity_from WHEN 'Lead' THEN ltc_id('prospect', party_name)
    WHEN 'Customer' THEN ltc_needed(customers.customer, 'the customer is not in Customer.json') END AS customer,
  opportunity_from = 'Lead' AND row_number() OVER (
    PARTITION BY opportunity_from, party_name ORDER BY opened, read.id) = 1 AS is_first_of_lead
FROM read LEFT JOIN customers ON opportunity_from = 'Customer' AND customers.id = party_name

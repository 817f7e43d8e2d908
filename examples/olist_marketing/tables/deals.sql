SELECT mql_id AS lead_id, ltc_id('lead', mql_id) AS lead, ltc_id('seller', mql_id) AS customer,
  ltc_id('opportunity', mql_id) AS opportunity, seller_id, sdr_id AS development_rep, sr_id AS sales_rep,
  ltc_time(won_date, '%Y-%m-%d %H:%M:%S') AS won, business_segment AS segment, deals.lead_type, business_type,
  lead_behaviour_profile AS behaviour, ltc_amount(declared_monthly_revenue, '1234.56') AS monthly_revenue, first_contact
FROM deals JOIN leads ON leads.id = deals.mql_id

SELECT mql_id AS id, ltc_date(first_contact_date, '%Y-%m-%d') AS first_contact, landing_page_id AS landing_page,
  coalesce(origin, 'not stated') AS origin, ltc_word('channel', origin) AS channel, ltc_id('seller', mql_id) AS customer
FROM leads
